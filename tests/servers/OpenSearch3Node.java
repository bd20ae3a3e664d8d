// Starts one node of OpenSearch 3 with the plugins the tests need; SIGTERM ends it. Argument: the folder with its configuration.
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.lucene.analysis.Analyzer;
import org.opensearch.Version;
import org.opensearch.analysis.common.CommonAnalysisModulePlugin;
import org.opensearch.common.settings.Settings;
import org.opensearch.env.Environment;
import org.opensearch.index.analysis.AnalyzerProvider;
import org.opensearch.index.analysis.PreBuiltAnalyzerProviderFactory;
import org.opensearch.index.analysis.TokenizerFactory;
import org.opensearch.index.mapper.MapperExtrasModulePlugin;
import org.opensearch.index.reindex.ReindexModulePlugin;
import org.opensearch.indices.analysis.AnalysisModule.AnalysisProvider;
import org.opensearch.node.InternalSettingsPreparer;
import org.opensearch.node.Node;
import org.opensearch.plugins.Plugin;
import org.opensearch.plugins.PluginInfo;
import org.opensearch.transport.Netty4ModulePlugin;

public final class OpenSearch3Node extends Node {
  private OpenSearch3Node(Environment environment, List<PluginInfo> plugins) {
    super(environment, plugins, true);
  }

  // The runtime of the tests knows no word boundaries of Thai, and every index would make what asks for them.
  public static final class AnalysisWithoutThai extends CommonAnalysisModulePlugin {
    @Override
    public Map<String, AnalysisProvider<AnalyzerProvider<? extends Analyzer>>> getAnalyzers() {
      return withoutThai(super.getAnalyzers());
    }

    @Override
    public Map<String, AnalysisProvider<TokenizerFactory>> getTokenizers() {
      return withoutThai(super.getTokenizers());
    }

    @Override
    public List<PreBuiltAnalyzerProviderFactory> getPreBuiltAnalyzerProviderFactories() {
      return super.getPreBuiltAnalyzerProviderFactories().stream().filter(analyzer -> !analyzer.getName().equals("thai")).toList();
    }

    private static <T> Map<String, T> withoutThai(Map<String, T> all) {
      Map<String, T> kept = new TreeMap<>(all);
      kept.remove("thai");
      return kept;
    }
  }

  public static void main(String[] words) throws Exception {
    Path home = Path.of(words[0]);
    Settings settings = Settings.builder().put("path.home", home.toString()).build();
    Environment environment = InternalSettingsPreparer.prepareEnvironment(settings, Map.of(), home.resolve("config"), () -> "test");
    List<PluginInfo> plugins = new ArrayList<>();
    for (Class<? extends Plugin> plugin : List.of(Netty4ModulePlugin.class, AnalysisWithoutThai.class, MapperExtrasModulePlugin.class, ReindexModulePlugin.class)) {
      plugins.add(new PluginInfo(plugin.getName(), "of the class path", "0", Version.CURRENT, "21", plugin.getName(), null, List.of(), false));
    }
    OpenSearch3Node node = new OpenSearch3Node(environment, plugins);
    node.start();
    Runtime.getRuntime().addShutdownHook(new Thread(() -> {
      try {
        node.close();
      } catch (IOException error) {
        error.printStackTrace();
      }
    }));
    Thread.currentThread().join();
  }
}
