// What tests ask of a Kafka cluster beyond reading and writing. Run from source: java -cp JARS KafkaAdmin.java BROKERS COMMAND TOPIC [N]
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.common.TopicPartition;

public class KafkaAdmin {
  public static void main(String[] words) throws Exception {
    String topic = words[2];
    try (Admin admin = Admin.create(Map.of("bootstrap.servers", words[0]))) {
      switch (words[1]) {
        case "create" -> admin.createTopics(List.of(new NewTopic(topic, Integer.parseInt(words[3]), (short) 1))).all().get();
        case "delete" -> admin.deleteTopics(List.of(topic)).all().get();
        case "partitions" -> admin.createPartitions(Map.of(topic, NewPartitions.increaseTo(Integer.parseInt(words[3])))).all().get();
        case "truncate" -> truncate(admin, topic);
        case "ends" -> ends(admin, topic).forEach((p, end) -> System.out.println(p.partition() + " " + end));
        default -> throw new IllegalArgumentException(words[1]);
      }
    }
  }

  // As retention does: everything there is now is gone, offsets go on.
  private static void truncate(Admin admin, String topic) throws Exception {
    Map<TopicPartition, RecordsToDelete> all = new HashMap<>();
    ends(admin, topic).forEach((partition, end) -> all.put(partition, RecordsToDelete.beforeOffset(end)));
    admin.deleteRecords(all).all().get();
  }

  private static Map<TopicPartition, Long> ends(Admin admin, String topic) throws Exception {
    Map<TopicPartition, OffsetSpec> asked = new HashMap<>();
    admin.describeTopics(List.of(topic)).allTopicNames().get().get(topic).partitions()
        .forEach(p -> asked.put(new TopicPartition(topic, p.partition()), OffsetSpec.latest()));
    Map<TopicPartition, Long> out = new HashMap<>();
    admin.listOffsets(asked).all().get().forEach((partition, info) -> out.put(partition, info.offset()));
    return out;
  }
}
