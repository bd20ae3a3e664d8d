// What tests ask of a Kafka cluster beyond reading and writing. Run from source: java -cp JARS KafkaAdmin.java BROKERS COMMAND TOPIC [N]
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.admin.ScramCredentialInfo;
import org.apache.kafka.clients.admin.ScramMechanism;
import org.apache.kafka.clients.admin.TopicListing;
import org.apache.kafka.clients.admin.UserScramCredentialUpsertion;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.acl.AccessControlEntry;
import org.apache.kafka.common.acl.AclBinding;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.acl.AclPermissionType;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.InvalidReplicationFactorException;
import org.apache.kafka.common.errors.TopicExistsException;
import org.apache.kafka.common.resource.PatternType;
import org.apache.kafka.common.resource.ResourcePattern;
import org.apache.kafka.common.resource.ResourceType;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringDeserializer;

public class KafkaAdmin {
  public static void main(String[] words) throws Exception {
    String topic = words[2];
    try (Admin admin = Admin.create(Map.of("bootstrap.servers", words[0]))) {
      switch (words[1]) {
        case "create" -> create(admin, new NewTopic(topic, Optional.of(Integer.parseInt(words[3])), Optional.empty()));
        case "renew" -> renew(admin, new NewTopic(topic, Optional.of(Integer.parseInt(words[3])), Optional.empty()));
        case "delete" -> admin.deleteTopics(List.of(topic)).all().get();
        case "partitions" -> admin.createPartitions(Map.of(topic, NewPartitions.increaseTo(Integer.parseInt(words[3])))).all().get();
        case "config" -> admin.incrementalAlterConfigs(Map.of(new ConfigResource(ConfigResource.Type.TOPIC, topic),
            Stream.of(words).skip(3).map(w -> w.split("=", 2)).map(w -> new AlterConfigOp(new ConfigEntry(w[0], w[1]), AlterConfigOp.OpType.SET)).toList())).all().get();
        case "allow" -> admin.createAcls(Stream.of(words).skip(4).map(right -> new AclBinding(new ResourcePattern(ResourceType.TOPIC, topic, PatternType.LITERAL),
            new AccessControlEntry("User:" + words[3], "*", AclOperation.fromString(right), AclPermissionType.ALLOW))).toList()).all().get();
        case "user" -> admin.alterUserScramCredentials(List.of(new UserScramCredentialUpsertion(topic,
            new ScramCredentialInfo(ScramMechanism.fromMechanismName(words[3]), 4096), words[4]))).all().get();
        case "truncate" -> truncate(admin, topic);
        case "read" -> read(words[0], ends(admin, topic));
        case "ends" -> ends(admin, topic).forEach((p, end) -> System.out.println(p.partition() + " " + end));
        case "say" -> say(words[0], topic, words.length > 3 ? words[3] : null);
        case "transaction" -> transaction(words[0], topic, words[3].equals("commit"));
        case "tombstones" -> tombstones(words[0], topic, Integer.parseInt(words[3]));
        case "topics" -> admin.listTopics().names().get().forEach(System.out::println);
        default -> throw new IllegalArgumentException(words[1]);
      }
    }
  }

  // A broker that stood still for a second, or has just begun to listen, is none that a topic can lie on for a moment.
  private static void create(Admin admin, NewTopic topic) throws Exception {
    for (long end = System.nanoTime() + Duration.ofSeconds(60).toNanos(); ; Thread.sleep(100)) {
      try {
        admin.createTopics(List.of(topic)).all().get();
        return;
      } catch (ExecutionException failed) {
        if (!(failed.getCause() instanceof InvalidReplicationFactorException) || System.nanoTime() > end) throw failed;
      }
    }
  }

  // Gone for two seconds, in which clients may see it gone and brokers may make it anew for a client that wants it; there
  // again, with another id, when this returns.
  private static void renew(Admin admin, NewTopic topic) throws Exception {
    Uuid old = admin.listTopics().namesToListings().get().get(topic.name()).topicId();
    admin.deleteTopics(List.of(topic.name())).all().get();
    Thread.sleep(2000);
    for (long end = System.nanoTime() + Duration.ofSeconds(60).toNanos(); ; Thread.sleep(100)) {
      try {
        create(admin, topic);
        return;
      } catch (ExecutionException failed) {
        if (!(failed.getCause() instanceof TopicExistsException) || System.nanoTime() > end) throw failed;
        TopicListing there = admin.listTopics().namesToListings().get().get(topic.name());
        if (there != null && !there.topicId().equals(old)) return;
      }
    }
  }

  // Key, tab and value of every message there is now, as text.
  private static void read(String brokers, Map<TopicPartition, Long> ends) {
    Map<String, Object> settings = Map.of("bootstrap.servers", brokers, "key.deserializer", StringDeserializer.class, "value.deserializer", StringDeserializer.class);
    try (KafkaConsumer<String, String> consumer = new KafkaConsumer<>(settings)) {
      consumer.assign(ends.keySet());
      consumer.seekToBeginning(ends.keySet());
      while (ends.entrySet().stream().anyMatch(end -> consumer.position(end.getKey()) < end.getValue())) {
        consumer.poll(Duration.ofMillis(200)).forEach(message -> System.out.println(message.key() + "\t" + message.value()));
      }
    }
  }

  // The lines of the standard input as messages, as any other producer sends them; `kind`: with the header of
  // messages by logboom.
  private static void say(String brokers, String topic, String kind) throws Exception {
    Map<String, Object> settings = Map.of("bootstrap.servers", brokers, "key.serializer", ByteArraySerializer.class, "value.serializer", ByteArraySerializer.class);
    try (KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(settings)) {
      int number = 0;
      for (String line : new String(System.in.readAllBytes(), StandardCharsets.UTF_8).split("\n")) {
        byte[] key = ("key " + number++ % 64).getBytes(StandardCharsets.UTF_8);
        ProducerRecord<byte[], byte[]> record = new ProducerRecord<>(topic, key, line.getBytes(StandardCharsets.UTF_8));
        if (kind != null) record.headers().add("logboom", kind.getBytes(StandardCharsets.UTF_8));
        producer.send(record);
      }
    }
  }

  // The lines of the standard input in one transaction, each a message.
  private static void transaction(String brokers, String topic, boolean commit) throws Exception {
    Map<String, Object> settings = Map.of("bootstrap.servers", brokers, "key.serializer", ByteArraySerializer.class, "value.serializer", ByteArraySerializer.class,
        "transactional.id", "transactions of the test");
    try (KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(settings)) {
      producer.initTransactions();
      producer.beginTransaction();
      for (String line : new String(System.in.readAllBytes(), StandardCharsets.UTF_8).split("\n"))
        producer.send(new ProducerRecord<>(topic, line.getBytes(StandardCharsets.UTF_8)));
      producer.flush();
      if (commit) producer.commitTransaction(); else producer.abortTransaction();
    }
  }

  // Messages without a value.
  private static void tombstones(String brokers, String topic, int count) {
    Map<String, Object> settings = Map.of("bootstrap.servers", brokers, "key.serializer", ByteArraySerializer.class, "value.serializer", ByteArraySerializer.class);
    try (KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(settings)) {
      for (int i = 0; i < count; ++i) producer.send(new ProducerRecord<>(topic, ("key " + i).getBytes(StandardCharsets.UTF_8), null));
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
