import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.TreeMap;
import org.apache.storm.Config;
import org.apache.storm.LocalCluster;
import org.apache.storm.StormSubmitter;
import org.apache.storm.kafka.bolt.KafkaBolt;
import org.apache.storm.kafka.bolt.mapper.FieldNameBasedTupleToKafkaMapper;
import org.apache.storm.kafka.bolt.selector.DefaultTopicSelector;
import org.apache.storm.kafka.spout.FirstPollOffsetStrategy;
import org.apache.storm.kafka.spout.KafkaSpout;
import org.apache.storm.kafka.spout.KafkaSpoutConfig;
import org.apache.storm.task.OutputCollector;
import org.apache.storm.task.TopologyContext;
import org.apache.storm.topology.OutputFieldsDeclarer;
import org.apache.storm.topology.TopologyBuilder;
import org.apache.storm.topology.base.BaseRichBolt;
import org.apache.storm.tuple.Fields;
import org.apache.storm.tuple.Tuple;
import org.apache.storm.tuple.Values;

/**
 * Counts errors per minute and topic in the topics that logboom's agents fill (transport.encoding: json), and writes each new count to another
 * topic: key "2026-11-21T09:00 web_log", value {"minute", "topic", "errors"}; of several with one key the last counts.
 *
 * usage: ErrorsPerMinute BROKERS TOPIC,TOPIC... INTO_TOPIC [--local ZOOKEEPER_PORT]
 */
public final class ErrorsPerMinute {
  /** From a message its minute, topic and identity, if it is an error. */
  public static final class Errors extends BaseRichBolt {
    private transient ObjectMapper json;
    private transient OutputCollector out;

    @Override
    public void prepare(Map<String, Object> settings, TopologyContext context, OutputCollector collector) {
      json = new ObjectMapper();
      out = collector;
    }

    @Override
    public void execute(Tuple message) {
      String value = message.getStringByField("value");
      JsonNode record = read(value);
      String level = record.path("log.level").asText();
      String time = record.path("@timestamp").asText();
      if ((level.equals("error") || level.equals("fatal")) && time.length() >= 16) {
        // A topic may hold a message twice (docs/formats/kafka.md); file and place say which record it is.
        String identity = message.getStringByField("source") + ":" + record.path("log.offset").asLong();
        out.emit(message, new Values(time.substring(0, 16), message.getStringByField("topic"), identity));
      }
      out.ack(message);
    }

    /** What other producers wrote, and lines of logboom's ranges without a record, are no errors. */
    private JsonNode read(String value) {
      try {
        return value == null || value.isEmpty() ? json.nullNode() : json.readTree(value);
      } catch (com.fasterxml.jackson.core.JsonProcessingException broken) {
        return json.nullNode();
      }
    }

    @Override
    public void declareOutputFields(OutputFieldsDeclarer declarer) {
      declarer.declare(new Fields("minute", "topic", "identity"));
    }
  }

  /** Counts each identity once; the newest hours are kept. */
  public static final class Counts extends BaseRichBolt {
    private static final int KEPT_MINUTES = 180;
    private transient ObjectMapper json;
    private transient OutputCollector out;
    private transient TreeMap<String, Map<String, Set<String>>> minutes;

    @Override
    public void prepare(Map<String, Object> settings, TopologyContext context, OutputCollector collector) {
      json = new ObjectMapper();
      out = collector;
      minutes = new TreeMap<>();
    }

    @Override
    public void execute(Tuple error) {
      String minute = error.getStringByField("minute");
      String topic = error.getStringByField("topic");
      Set<String> seen = minutes.computeIfAbsent(minute, m -> new HashMap<>()).computeIfAbsent(topic, t -> new HashSet<>());
      if (seen.add(error.getStringByField("identity"))) {
        String value = json.createObjectNode().put("minute", minute).put("topic", topic).put("errors", seen.size()).toString();
        out.emit(error, new Values(minute + " " + topic, value));
      }
      while (minutes.size() > KEPT_MINUTES) {
        minutes.pollFirstEntry();
      }
      out.ack(error);
    }

    @Override
    public void declareOutputFields(OutputFieldsDeclarer declarer) {
      declarer.declare(new Fields("key", "message"));
    }
  }

  private static TopologyBuilder topology(String brokers, String[] topics, String into) {
    KafkaSpoutConfig<String, String> spout = KafkaSpoutConfig.builder(brokers, topics)
        .setProp("group.id", "errors-per-minute")
        .setFirstPollOffsetStrategy(FirstPollOffsetStrategy.UNCOMMITTED_EARLIEST)
        .setRecordTranslator(r -> new Values(r.topic(), r.key(), r.value()), new Fields("topic", "source", "value"))
        .build();
    Properties producer = new Properties();
    producer.put("bootstrap.servers", brokers);
    producer.put("acks", "all");
    producer.put("key.serializer", "org.apache.kafka.common.serialization.StringSerializer");
    producer.put("value.serializer", "org.apache.kafka.common.serialization.StringSerializer");
    TopologyBuilder builder = new TopologyBuilder();
    builder.setSpout("topics", new KafkaSpout<>(spout), 1);
    builder.setBolt("errors", new Errors(), 2).shuffleGrouping("topics");
    builder.setBolt("counts", new Counts(), 2).fieldsGrouping("errors", new Fields("minute", "topic"));
    builder.setBolt("write", new KafkaBolt<String, String>().withProducerProperties(producer)
        .withTopicSelector(new DefaultTopicSelector(into))
        .withTupleToKafkaMapper(new FieldNameBasedTupleToKafkaMapper<>("key", "message")), 1).fieldsGrouping("counts", new Fields("key"));
    return builder;
  }

  public static void main(String[] words) throws Exception {
    if (words.length < 3) {
      System.err.println("usage: ErrorsPerMinute BROKERS TOPIC,TOPIC... INTO_TOPIC [--local ZOOKEEPER_PORT]");
      System.exit(2);
    }
    TopologyBuilder builder = topology(words[0], words[1].split(","), words[2]);
    Config config = new Config();
    config.setMaxSpoutPending(10_000);
    if (words.length < 5) {
      StormSubmitter.submitTopology("errors-per-minute", config, builder.createTopology());
      return;
    }
    try (LocalCluster cluster = new LocalCluster("127.0.0.1", Long.valueOf(words[4]));
         LocalCluster.LocalTopology running = cluster.submitTopology("errors-per-minute", config, builder.createTopology())) {
      System.out.println("running");
      Thread.currentThread().join();  // until it is killed
    }
  }
}
