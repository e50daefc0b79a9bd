import java.io.DataOutputStream;
import java.io.IOException;
import java.util.Arrays;
import org.apache.hadoop.conf.Configurable;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.io.BytesWritable;
import org.apache.hadoop.io.LongWritable;
import org.apache.hadoop.mapreduce.Job;
import org.apache.hadoop.mapreduce.Mapper;
import org.apache.hadoop.mapreduce.Partitioner;
import org.apache.hadoop.mapreduce.RecordWriter;
import org.apache.hadoop.mapreduce.TaskAttemptContext;
import org.apache.hadoop.mapreduce.lib.input.FileInputFormat;
import org.apache.hadoop.mapreduce.lib.input.FixedLengthInputFormat;
import org.apache.hadoop.mapreduce.lib.output.FileOutputFormat;

/**
 * SortRecords DATA OUT THREADS: records of 100 bytes by their first 10, as Hadoop's own TeraSort does it: bytes are
 * compared where they lie, a sample divides the keys among the reducers, and their parts are in order one after
 * the other. The local job runner, with a map and a reduce task per thread at a time.
 */
public class SortRecords {
  static final int RECORD = 100;
  static final int KEY = 10;

  public static class Cut extends Mapper<LongWritable, BytesWritable, BytesWritable, BytesWritable> {
    private final BytesWritable key = new BytesWritable();
    private final BytesWritable rest = new BytesWritable();

    @Override
    protected void map(LongWritable at, BytesWritable record, Context context)
        throws IOException, InterruptedException {
      key.set(record.getBytes(), 0, KEY);
      rest.set(record.getBytes(), KEY, RECORD - KEY);
      context.write(key, rest);
    }
  }

  /** Ranges of keys, whose first ones are in the configuration as hexadecimal digits. */
  public static class Ranges extends Partitioner<BytesWritable, BytesWritable> implements Configurable {
    private Configuration conf;
    private byte[][] starts = {};

    @Override
    public void setConf(Configuration conf) {
      this.conf = conf;
      String[] texts = conf.getStrings("records.starts", new String[0]);
      starts = new byte[texts.length][];
      for (int at = 0; at < texts.length; at++) starts[at] = java.util.HexFormat.of().parseHex(texts[at]);
    }

    @Override
    public Configuration getConf() {
      return conf;
    }

    @Override
    public int getPartition(BytesWritable key, BytesWritable rest, int count) {
      int range = 0;
      while (range < starts.length
          && Arrays.compareUnsigned(key.getBytes(), 0, KEY, starts[range], 0, KEY) >= 0) range++;
      return range;
    }
  }

  public static class Records extends FileOutputFormat<BytesWritable, BytesWritable> {
    @Override
    public RecordWriter<BytesWritable, BytesWritable> getRecordWriter(TaskAttemptContext context)
        throws IOException {
      Path path = getDefaultWorkFile(context, "");
      DataOutputStream out = path.getFileSystem(context.getConfiguration()).create(path);
      return new RecordWriter<>() {
        @Override
        public void write(BytesWritable key, BytesWritable rest) throws IOException {
          out.write(key.getBytes(), 0, KEY);
          out.write(rest.getBytes(), 0, RECORD - KEY);
        }

        @Override
        public void close(TaskAttemptContext closed) throws IOException {
          out.close();
        }
      };
    }
  }

  /** Where ranges of keys begin, after a sample from all over the file. */
  static String[] startsOf(Path path, int ranges, Configuration conf) throws IOException {
    FileSystem files = path.getFileSystem(conf);
    long records = files.getFileStatus(path).getLen() / RECORD;
    int count = (int) Math.min(records, 10_000);
    byte[][] keys = new byte[count][KEY];
    try (FSDataInputStream in = files.open(path)) {
      for (int at = 0; at < count; at++) in.readFully(records * at / count * RECORD, keys[at]);
    }
    Arrays.sort(keys, Arrays::compareUnsigned);
    String[] starts = new String[ranges - 1];
    for (int at = 1; at < ranges; at++) starts[at - 1] = java.util.HexFormat.of().formatHex(keys[count * at / ranges]);
    return starts;
  }

  public static void main(String[] args) throws Exception {
    Path data = new Path(args[0]);
    int threads = Integer.parseInt(args[2]);
    Configuration conf = new Configuration();
    conf.set("mapreduce.framework.name", "local");
    conf.set("fs.defaultFS", "file:///");
    conf.set("hadoop.tmp.dir", args[1] + ".tmp");
    conf.setInt("mapreduce.local.map.tasks.maximum", threads);
    conf.setInt("mapreduce.local.reduce.tasks.maximum", threads);
    // All tasks share one heap here, and each takes the whole of it for its own.
    conf.setInt("mapreduce.task.io.sort.mb", 200);
    conf.setFloat("mapreduce.reduce.shuffle.input.buffer.percent", 0.5f / threads);
    conf.setInt("mapreduce.task.io.sort.factor", 100);
    conf.setLong(FileInputFormat.SPLIT_MINSIZE, 128L << 20);
    conf.setStrings("records.starts", startsOf(data, threads, conf));
    FixedLengthInputFormat.setRecordLength(conf, RECORD);
    Job job = Job.getInstance(conf, "sort-records");
    job.setJarByClass(SortRecords.class);
    job.setInputFormatClass(FixedLengthInputFormat.class);
    job.setMapperClass(Cut.class);
    job.setPartitionerClass(Ranges.class);
    job.setOutputFormatClass(Records.class);
    job.setOutputKeyClass(BytesWritable.class);
    job.setOutputValueClass(BytesWritable.class);
    job.setNumReduceTasks(threads);
    FileInputFormat.addInputPath(job, data);
    FileOutputFormat.setOutputPath(job, new Path(args[1]));
    boolean isDone = job.waitForCompletion(false);
    if (!isDone) System.err.println(job.getStatus().getFailureInfo());
    FileSystem.getLocal(conf).delete(new Path(args[1] + ".tmp"), true);
    System.exit(isDone ? 0 : 1);
  }
}
