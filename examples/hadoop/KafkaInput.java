import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.io.Text;
import org.apache.hadoop.io.Writable;
import org.apache.hadoop.mapreduce.InputFormat;
import org.apache.hadoop.mapreduce.InputSplit;
import org.apache.hadoop.mapreduce.JobContext;
import org.apache.hadoop.mapreduce.RecordReader;
import org.apache.hadoop.mapreduce.TaskAttemptContext;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;

/**
 * What lies in topics of Kafka when the job starts: a split per partition, a pair per message: the key "topic TAB key", the value as it is. Settings: {@link #BROKERS},
 * {@link #TOPICS}.
 */
public final class KafkaInput extends InputFormat<Text, Text> {
  public static final String BROKERS = "kafka.input.brokers";
  public static final String TOPICS = "kafka.input.topics";

  private static KafkaConsumer<String, String> consumer(Configuration settings) {
    Map<String, Object> properties = new HashMap<>();
    properties.put("bootstrap.servers", settings.get(BROKERS));
    properties.put("enable.auto.commit", "false");
    properties.put("auto.offset.reset", "none");  // what retention removes meanwhile is an error, not a gap
    return new KafkaConsumer<>(properties, new StringDeserializer(), new StringDeserializer());
  }

  /** The messages of one partition from one offset up to another. */
  public static final class Part extends InputSplit implements Writable {
    private String topic = "";
    private int partition;
    private long begin;
    private long end;

    @Override
    public long getLength() {
      return end - begin;
    }

    @Override
    public String[] getLocations() {
      return new String[0];
    }

    @Override
    public void write(DataOutput out) throws IOException {
      out.writeUTF(topic);
      out.writeInt(partition);
      out.writeLong(begin);
      out.writeLong(end);
    }

    @Override
    public void readFields(DataInput in) throws IOException {
      topic = in.readUTF();
      partition = in.readInt();
      begin = in.readLong();
      end = in.readLong();
    }
  }

  @Override
  public List<InputSplit> getSplits(JobContext context) {
    List<InputSplit> parts = new ArrayList<>();
    try (KafkaConsumer<String, String> kafka = consumer(context.getConfiguration())) {
      List<TopicPartition> partitions = new ArrayList<>();
      for (String topic : context.getConfiguration().getStrings(TOPICS)) {
        for (PartitionInfo info : kafka.partitionsFor(topic)) {
          partitions.add(new TopicPartition(topic, info.partition()));
        }
      }
      Map<TopicPartition, Long> begins = kafka.beginningOffsets(partitions);
      kafka.endOffsets(partitions).forEach((partition, end) -> {
        Part part = new Part();
        part.topic = partition.topic();
        part.partition = partition.partition();
        part.begin = begins.get(partition);
        part.end = end;
        if (part.end > part.begin) {
          parts.add(part);
        }
      });
    }
    return parts;
  }

  @Override
  public RecordReader<Text, Text> createRecordReader(InputSplit split, TaskAttemptContext context) {
    return new Reader();
  }

  private static final class Reader extends RecordReader<Text, Text> {
    private final Text key = new Text();
    private final Text value = new Text();
    private Part part;
    private KafkaConsumer<String, String> kafka;
    private Iterator<ConsumerRecord<String, String>> fetched = List.<ConsumerRecord<String, String>>of().iterator();
    private long at;

    @Override
    public void initialize(InputSplit split, TaskAttemptContext context) {
      part = (Part) split;
      at = part.begin;
      kafka = consumer(context.getConfiguration());
      TopicPartition partition = new TopicPartition(part.topic, part.partition);
      kafka.assign(List.of(partition));
      kafka.seek(partition, at);
    }

    @Override
    public boolean nextKeyValue() {
      while (at < part.end) {
        if (!fetched.hasNext()) {
          fetched = kafka.poll(Duration.ofSeconds(1)).iterator();
          // Behind the last message may come offsets that none has.
          if (!fetched.hasNext()) {
            at = kafka.position(new TopicPartition(part.topic, part.partition));
          }
          continue;
        }
        ConsumerRecord<String, String> message = fetched.next();
        at = message.offset() + 1;
        if (message.offset() >= part.end) {
          return false;
        }
        key.set(part.topic + "\t" + (message.key() == null ? "" : message.key()));
        value.set(message.value() == null ? "" : message.value());
        return true;
      }
      return false;
    }

    @Override
    public Text getCurrentKey() {
      return key;
    }

    @Override
    public Text getCurrentValue() {
      return value;
    }

    @Override
    public float getProgress() {
      return part.end == part.begin ? 1 : (float) (at - part.begin) / (part.end - part.begin);
    }

    @Override
    public void close() {
      if (kafka != null) {
        kafka.close();
      }
    }
  }
}
