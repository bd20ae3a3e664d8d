import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.io.LongWritable;
import org.apache.hadoop.io.NullWritable;
import org.apache.hadoop.io.Text;
import org.apache.hadoop.io.WritableComparable;
import org.apache.hadoop.io.WritableComparator;
import org.apache.hadoop.mapreduce.Job;
import org.apache.hadoop.mapreduce.Mapper;
import org.apache.hadoop.mapreduce.Partitioner;
import org.apache.hadoop.mapreduce.Reducer;
import org.apache.hadoop.mapreduce.lib.output.FileOutputFormat;

/**
 * Records per day, topic and level in the topics that logboom's agents fill (transport.encoding: json). A record that lies in a topic twice counts once.
 *
 * usage: DailyTotals BROKERS TOPIC,TOPIC... OUTPUT_FOLDER
 */
public final class DailyTotals {
  /** "day TAB topic TAB level TAB identity": sorted by all of it, grouped by the first three. */
  static String group(String key) {
    return key.substring(0, key.lastIndexOf('\t'));
  }

  public static final class Identities extends Mapper<Text, Text, Text, NullWritable> {
    private final ObjectMapper json = new ObjectMapper();
    private final Text out = new Text();

    @Override
    protected void map(Text key, Text value, Context context) throws IOException, InterruptedException {
      JsonNode record = read(value.toString());
      String time = record.path("@timestamp").asText();
      if (time.length() < 10) {
        return;
      }
      String[] topicAndSource = key.toString().split("\t", 2);
      String identity = topicAndSource[1] + ":" + record.path("log.offset").asLong();
      out.set(String.join("\t", time.substring(0, 10), topicAndSource[0], record.path("log.level").asText("-"), identity));
      context.write(out, NullWritable.get());
    }

    /** What is no JSON is no record of logboom's. */
    private JsonNode read(String value) {
      try {
        return value.isEmpty() ? json.nullNode() : json.readTree(value);
      } catch (JsonProcessingException broken) {
        return json.nullNode();
      }
    }
  }

  public static final class ByGroup extends Partitioner<Text, NullWritable> {
    @Override
    public int getPartition(Text key, NullWritable value, int partitions) {
      return (group(key.toString()).hashCode() & Integer.MAX_VALUE) % partitions;
    }
  }

  public static final class SameGroup extends WritableComparator {
    public SameGroup() {
      super(Text.class, true);
    }

    @Override
    @SuppressWarnings("rawtypes")
    public int compare(WritableComparable a, WritableComparable b) {
      return group(a.toString()).compareTo(group(b.toString()));
    }
  }

  public static final class Distinct extends Reducer<Text, NullWritable, Text, LongWritable> {
    @Override
    protected void reduce(Text key, Iterable<NullWritable> values, Context context) throws IOException, InterruptedException {
      long count = 0;
      String last = "";
      for (NullWritable ignored : values) {  // the key moves along
        String here = key.toString();
        count += here.equals(last) ? 0 : 1;
        last = here;
      }
      context.write(new Text(group(last)), new LongWritable(count));
    }
  }

  public static void main(String[] words) throws Exception {
    if (words.length != 3) {
      System.err.println("usage: DailyTotals BROKERS TOPIC,TOPIC... OUTPUT_FOLDER");
      System.exit(2);
    }
    Configuration settings = new Configuration();
    settings.set(KafkaInput.BROKERS, words[0]);
    settings.set(KafkaInput.TOPICS, words[1]);
    Job job = Job.getInstance(settings, "daily totals");
    job.setJarByClass(DailyTotals.class);
    job.setInputFormatClass(KafkaInput.class);
    job.setMapperClass(Identities.class);
    job.setMapOutputKeyClass(Text.class);
    job.setMapOutputValueClass(NullWritable.class);
    job.setPartitionerClass(ByGroup.class);
    job.setGroupingComparatorClass(SameGroup.class);
    job.setReducerClass(Distinct.class);
    job.setOutputKeyClass(Text.class);
    job.setOutputValueClass(LongWritable.class);
    FileOutputFormat.setOutputPath(job, new Path(words[2]));
    System.exit(job.waitForCompletion(true) ? 0 : 1);
  }
}
