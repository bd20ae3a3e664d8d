// Starts one node of Elasticsearch 8; SIGTERM ends it. Arguments: the folder with lib and modules, the folder with the configuration.
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import org.elasticsearch.common.logging.LogConfigurator;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.env.Environment;
import org.elasticsearch.node.InternalSettingsPreparer;
import org.elasticsearch.node.Node;

public final class Elasticsearch8Node {
  public static void main(String[] words) throws Exception {
    LogConfigurator.configureESLogging();
    LogConfigurator.registerErrorListener();
    Settings settings = Settings.builder().put("path.home", words[0]).build();
    Environment environment = InternalSettingsPreparer.prepareEnvironment(settings, Map.of(), Path.of(words[1]), () -> "test");
    Node node = new Node(environment);
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
