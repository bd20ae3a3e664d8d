// What Elasticsearch 8 as people install it has in modules that are in no registry, as far as logboom meets it: of the module analysis-common
// the parts of its analyzer, over the same classes of Lucene; of the module rest-root the answer to `GET /`, which each node of theirs gives.
import java.io.Reader;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.apache.lucene.analysis.TokenStream;
import org.apache.lucene.analysis.charfilter.MappingCharFilter;
import org.apache.lucene.analysis.charfilter.NormalizeCharMap;
import org.apache.lucene.analysis.miscellaneous.TruncateTokenFilter;
import org.apache.lucene.analysis.pattern.SimplePatternTokenizer;
import org.elasticsearch.Build;
import org.elasticsearch.client.internal.node.NodeClient;
import org.elasticsearch.cluster.metadata.IndexNameExpressionResolver;
import org.elasticsearch.cluster.node.DiscoveryNodes;
import org.elasticsearch.cluster.service.ClusterService;
import org.elasticsearch.common.io.stream.NamedWriteableRegistry;
import org.elasticsearch.common.settings.ClusterSettings;
import org.elasticsearch.common.settings.IndexScopedSettings;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.common.settings.SettingsFilter;
import org.elasticsearch.features.NodeFeature;
import org.elasticsearch.index.analysis.AbstractCharFilterFactory;
import org.elasticsearch.index.analysis.AbstractTokenFilterFactory;
import org.elasticsearch.index.analysis.CharFilterFactory;
import org.elasticsearch.index.analysis.TokenFilterFactory;
import org.elasticsearch.index.analysis.TokenizerFactory;
import org.elasticsearch.indices.analysis.AnalysisModule.AnalysisProvider;
import org.elasticsearch.plugins.ActionPlugin;
import org.elasticsearch.plugins.AnalysisPlugin;
import org.elasticsearch.plugins.Plugin;
import org.elasticsearch.rest.BaseRestHandler;
import org.elasticsearch.rest.RestController;
import org.elasticsearch.rest.RestHandler;
import org.elasticsearch.rest.RestRequest;
import org.elasticsearch.rest.RestResponse;
import org.elasticsearch.rest.RestStatus;
import org.elasticsearch.xcontent.XContentBuilder;

public final class Elasticsearch8Parts extends Plugin implements AnalysisPlugin, ActionPlugin {
  private ClusterService cluster;

  @Override
  public Collection<?> createComponents(PluginServices services) {
    cluster = services.clusterService();
    return List.of();
  }

  @Override
  public Map<String, AnalysisProvider<CharFilterFactory>> getCharFilters() {
    return Map.of("mapping", AnalysisPlugin.requiresAnalysisSettings((index, environment, name, settings) -> new Mapping(name, settings)));
  }

  @Override
  public Map<String, AnalysisProvider<TokenizerFactory>> getTokenizers() {
    return Map.of("simple_pattern", (index, environment, name, settings) -> {
      String pattern = settings.get("pattern", "");
      return TokenizerFactory.newFactory(name, () -> new SimplePatternTokenizer(pattern));
    });
  }

  @Override
  public Map<String, AnalysisProvider<TokenFilterFactory>> getTokenFilters() {
    return Map.of("truncate", AnalysisPlugin.requiresAnalysisSettings((index, environment, name, settings) -> new Truncate(name, settings)));
  }

  @Override
  public Collection<RestHandler> getRestHandlers(Settings settings, NamedWriteableRegistry writeables, RestController controller, ClusterSettings ofCluster,
      IndexScopedSettings ofIndices, SettingsFilter filter, IndexNameExpressionResolver names, Supplier<DiscoveryNodes> nodes, Predicate<NodeFeature> features) {
    return List.of(new Root());
  }

  // "a=>b" each, without escapes.
  private static final class Mapping extends AbstractCharFilterFactory {
    private final NormalizeCharMap map;

    Mapping(String name, Settings settings) {
      super(name);
      NormalizeCharMap.Builder builder = new NormalizeCharMap.Builder();
      for (String rule : settings.getAsList("mappings")) {
        String[] sides = rule.split("=>", 2);
        builder.add(sides[0], sides[1]);
      }
      map = builder.build();
    }

    @Override
    public Reader create(Reader reader) {
      return new MappingCharFilter(map, reader);
    }
  }

  private static final class Truncate extends AbstractTokenFilterFactory {
    private final int length;

    Truncate(String name, Settings settings) {
      super(name, settings);
      length = settings.getAsInt("length", -1);
    }

    @Override
    public TokenStream create(TokenStream tokens) {
      return new TruncateTokenFilter(tokens, length);
    }
  }

  private final class Root extends BaseRestHandler {
    @Override
    public String getName() {
      return "main_action";
    }

    @Override
    public List<Route> routes() {
      return List.of(new Route(RestRequest.Method.GET, "/"));
    }

    @Override
    protected RestChannelConsumer prepareRequest(RestRequest request, NodeClient client) {
      return channel -> {
        XContentBuilder answer = channel.newBuilder().startObject().field("name", cluster.getNodeName());
        answer.field("cluster_name", cluster.getClusterName().value()).field("cluster_uuid", cluster.state().metadata().clusterUUID());
        answer.startObject("version").field("number", Build.current().version()).endObject();
        channel.sendResponse(new RestResponse(RestStatus.OK, answer.field("tagline", "You Know, for Search").endObject()));
      };
    }
  }
}
