import java.nio.file.Files;
import java.nio.file.Path;
import java.time.ZoneOffset;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.runtime.minicluster.MiniCluster;
import org.apache.flink.runtime.minicluster.MiniClusterConfiguration;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.sink.legacy.RichSinkFunction;
import org.apache.flink.streaming.api.functions.sink.legacy.SinkFunction;
import org.apache.flink.table.api.EnvironmentSettings;
import org.apache.flink.table.api.TableConfig;
import org.apache.flink.table.api.bridge.java.StreamTableEnvironment;
import org.apache.flink.types.Row;
import org.apache.flink.types.RowKind;

/**
 * StreamQueries DATA OUT THREADS BENCH: every question of the bench by Flink in streaming mode, each three times on a
 * local cluster that stays. State is on the heap and there are no checkpoints.
 *
 * <p>Rows of the answer are reduced to sums as they come and not written: Flink writes no files of updates, and a sum
 * costs less. OUT gets sums.json, and the seconds of the fastest runs.
 */
public class StreamQueries {
  static final int RUNS = 3;

  /** The sums of each parallel sink of the run; a row that is retracted is taken away. */
  static final Map<Integer, long[]> SUMS = new ConcurrentHashMap<>();

  public static class SumSink extends RichSinkFunction<Row> {
    private final String question;
    private transient long[] sums;

    SumSink(String question) {
      this.question = question;
    }

    @Override
    public void invoke(Row row, SinkFunction.Context context) {
      if (sums == null) {
        sums = new long[Questions.sumCountOf(question)];
        SUMS.put(getRuntimeContext().getTaskInfo().getIndexOfThisSubtask(), sums);
      }
      boolean isRetracted = row.getKind() == RowKind.DELETE || row.getKind() == RowKind.UPDATE_BEFORE;
      Questions.add(sums, question, row, isRetracted ? -1 : 1);
    }
  }

  private final String data;
  private final String bench;
  private final int threads;
  private final Configuration configuration = new Configuration();
  private final MiniCluster cluster;

  StreamQueries(String data, String bench, int threads) throws Exception {
    this.data = data;
    this.bench = bench;
    this.threads = threads;
    configuration.setString("execution.runtime-mode", "STREAMING");
    configuration.setString("state.backend.type", "hashmap");
    configuration.setString("pipeline.object-reuse", "true");
    configuration.setString("taskmanager.memory.managed.size", "1g");
    configuration.setString("taskmanager.memory.network.min", "128m");
    configuration.setString("taskmanager.memory.network.max", "128m");
    configuration.setString("rest.address", "127.0.0.1");
    configuration.setString("rest.bind-address", "127.0.0.1");
    configuration.setString("rest.bind-port", "0");
    cluster = new MiniCluster(
        new MiniClusterConfiguration.Builder()
            .setConfiguration(configuration)
            .setNumTaskManagers(1)
            .setNumSlotsPerTaskManager(threads)
            .build());
    cluster.start();
  }

  /** Plans and runs the question; the cluster is there already. */
  long[] answer(String question, String sql) throws Exception {
    StreamExecutionEnvironment streams = StreamExecutionEnvironment.getExecutionEnvironment(configuration);
    streams.setParallelism(threads);
    StreamTableEnvironment tables =
        StreamTableEnvironment.create(streams, EnvironmentSettings.newInstance().inStreamingMode().build());
    TableConfig config = tables.getConfig();
    config.setLocalTimeZone(ZoneOffset.UTC);
    // As the published Nexmark suite for Flink sets it.
    config.set("table.exec.mini-batch.enabled", "true");
    config.set("table.exec.mini-batch.allow-latency", "2s");
    config.set("table.exec.mini-batch.size", "50000");
    config.set("table.optimizer.distinct-agg.split.enabled", "true");
    for (String table : Questions.tablesOf(bench)) tables.executeSql(Questions.createTable(table, data));
    SUMS.clear();
    tables.toChangelogStream(tables.sqlQuery(sql)).addSink(new SumSink(question));
    cluster.executeJobBlocking(streams.getStreamGraph().getJobGraph());
    long[] total = new long[Questions.sumCountOf(question)];
    for (long[] sums : SUMS.values()) {
      for (int at = 0; at < total.length; at++) total[at] += sums[at];
    }
    return total;
  }

  public static void main(String[] arguments) {
    int exitCode = 0;
    try {
      Path out = Path.of(arguments[1]);
      // Flink unpacks libraries and leaves them; here they go with the answer.
      System.setProperty("java.io.tmpdir", Files.createDirectories(out.resolve("tmp")).toString());
      run(out, new StreamQueries(arguments[0], arguments[3], Integer.parseInt(arguments[2])));
    } catch (Exception error) {
      error.printStackTrace();
      exitCode = 1;
    }
    // The cluster's threads would keep the process.
    Runtime.getRuntime().halt(exitCode);
  }

  private static void run(Path out, StreamQueries queries) throws Exception {
    Map<String, String> sums = new LinkedHashMap<>();
    Map<String, String> seconds = new LinkedHashMap<>();
    for (Map.Entry<String, String> question : Questions.of(queries.bench).entrySet()) {
      double fastest = Double.POSITIVE_INFINITY;
      for (int run = 0; run < RUNS; run++) {
        long start = System.nanoTime();
        sums.put(question.getKey(), Arrays.toString(queries.answer(question.getKey(), question.getValue())));
        fastest = Math.min(fastest, (System.nanoTime() - start) / 1e9);
      }
      seconds.put(question.getKey(), Double.toString(fastest));
    }
    Files.writeString(out.resolve("sums.json"), jsonOf(sums));
    Files.writeString(out.resolve("seconds.json"), jsonOf(seconds));
  }

  private static String jsonOf(Map<String, String> values) {
    StringBuilder json = new StringBuilder();
    values.forEach((name, value) -> json.append(json.isEmpty() ? "" : ", ").append("\"" + name + "\": " + value));
    return "{" + json + "}";
  }
}
