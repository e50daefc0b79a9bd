import java.io.FileWriter;
import java.io.IOException;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import org.apache.flink.api.common.JobID;
import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.state.ValueState;
import org.apache.flink.api.common.state.ValueStateDescriptor;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.runtime.checkpoint.AbstractCheckpointStats;
import org.apache.flink.runtime.checkpoint.CheckpointStatsSnapshot;
import org.apache.flink.runtime.checkpoint.SubtaskStateStats;
import org.apache.flink.runtime.checkpoint.TaskStateStats;
import org.apache.flink.runtime.jobgraph.JobGraph;
import org.apache.flink.runtime.minicluster.MiniCluster;
import org.apache.flink.runtime.minicluster.MiniClusterConfiguration;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.KeyedProcessFunction;
import org.apache.flink.streaming.api.functions.sink.v2.DiscardingSink;
import org.apache.flink.streaming.api.functions.source.legacy.RichParallelSourceFunction;
import org.apache.flink.util.Collector;

/**
 * CheckpointSums KEYS CHANGED BACKEND INTERVAL_MS FOLDER: the job of the checkpoint bench in Flink, on a local cluster with two
 * slots, until the process is killed. BACKEND is hashmap or rocksdb; INTERVAL_MS 0 takes no checkpoints.
 *
 * <p>Keys are made here, as bench/checkpoint-rows.ts makes them. FOLDER gets progress, a line for each 8,192 rows, and
 * checkpoints.json, what the cluster says of the last ones.
 */
public class CheckpointSums {
  static final int ROWS_PER_LINE = 8192;
  static final int ROWS_PER_LOCK = 128;
  static final long ROWS_PER_WINDOW = 20_000_000L;
  static final long SCATTER = 7_368_787L;

  /** Each key once, then keys from a window that moves on. */
  public static class Keys extends RichParallelSourceFunction<Long> {
    private final long keys;
    private final long changed;
    private volatile boolean isRunning = true;

    Keys(long keys, long changed) {
      this.keys = keys;
      this.changed = changed;
    }

    @Override
    public void run(SourceContext<Long> context) {
      int tasks = getRuntimeContext().getTaskInfo().getNumberOfParallelSubtasks();
      int task = getRuntimeContext().getTaskInfo().getIndexOfThisSubtask();
      int seed = 12_345 + task;
      for (long row = task; isRunning; ) {
        synchronized (context.getCheckpointLock()) {
          for (int at = 0; at < ROWS_PER_LOCK; at++, row += tasks) {
            seed = seed * 1_664_525 + 1_013_904_223;
            long inWindow = (Integer.toUnsignedLong(seed) * changed) >>> 32;
            long window = (row - keys) * changed / ROWS_PER_WINDOW;
            context.collect(row < keys ? row : ((window + inWindow) % keys) * SCATTER % keys);
          }
        }
      }
    }

    @Override
    public void cancel() {
      isRunning = false;
    }
  }

  /** A running sum per key, of which one in 8,192 goes out. */
  public static class Sums extends KeyedProcessFunction<Long, Long, Long> {
    private final String progress;
    private transient ValueState<Long> sum;
    private transient Writer lines;
    private transient long rowCount;

    Sums(String progress) {
      this.progress = progress;
    }

    @Override
    public void open(OpenContext context) throws IOException {
      sum = getRuntimeContext().getState(new ValueStateDescriptor<>("sum", Long.class));
      lines = new FileWriter(progress, true);
    }

    @Override
    public void processElement(Long key, Context context, Collector<Long> out) throws Exception {
      Long before = sum.value();
      long now = before == null ? 1 : before + 1;
      sum.update(now);
      if (++rowCount % ROWS_PER_LINE > 0) return;
      lines.write(System.currentTimeMillis() + " " + ROWS_PER_LINE + "\n");
      lines.flush();
      out.collect(now);
    }
  }

  public static void main(String[] arguments) {
    try {
      run(Long.parseLong(arguments[0]), Long.parseLong(arguments[1]), arguments[2], arguments[3], Path.of(arguments[4]));
    } catch (Exception error) {
      error.printStackTrace();
    }
    Runtime.getRuntime().halt(1);
  }

  private static void run(long keys, long changed, String backend, String intervalMs, Path folder) throws Exception {
    Configuration configuration = new Configuration();
    configuration.setString("execution.runtime-mode", "STREAMING");
    configuration.setString("state.backend.type", backend);
    configuration.setString("execution.checkpointing.incremental", "true");
    configuration.setString("execution.checkpointing.dir", folder.resolve("chk").toUri().toString());
    configuration.setString("execution.checkpointing.timeout", "10min");
    configuration.setString("state.backend.rocksdb.localdir", folder.resolve("rocksdb").toString());
    configuration.setString("web.checkpoints.history", "64");
    configuration.setString("pipeline.object-reuse", "true");
    configuration.setString("taskmanager.memory.managed.size", "2g");
    configuration.setString("taskmanager.memory.network.min", "128m");
    configuration.setString("taskmanager.memory.network.max", "128m");
    configuration.setString("rest.address", "127.0.0.1");
    configuration.setString("rest.bind-address", "127.0.0.1");
    configuration.setString("rest.bind-port", "0");
    if (!intervalMs.equals("0")) configuration.setString("execution.checkpointing.interval", intervalMs + "ms");
    StreamExecutionEnvironment streams = StreamExecutionEnvironment.getExecutionEnvironment(configuration);
    streams.setParallelism(2);
    streams
        .addSource(new Keys(keys, changed))
        .keyBy(key -> key)
        .process(new Sums(folder.resolve("progress").toString()))
        .sinkTo(new DiscardingSink<>());
    try (MiniCluster cluster =
        new MiniCluster(
            new MiniClusterConfiguration.Builder()
                .setConfiguration(configuration)
                .setNumTaskManagers(1)
                .setNumSlotsPerTaskManager(2)
                .build())) {
      cluster.start();
      JobGraph graph = streams.getStreamGraph().getJobGraph();
      JobID job = cluster.submitJob(graph).get().getJobID();
      while (!cluster.getJobStatus(job).get().isTerminalState()) {
        Thread.sleep(500);
        tell(folder, cluster.getExecutionGraph(job).get().getCheckpointStatsSnapshot());
      }
      cluster.requestJobResult(job).get().getSerializedThrowable().ifPresent(error -> System.err.println(error.getFullStringifiedStackTrace()));
    }
  }

  private static void tell(Path folder, CheckpointStatsSnapshot snapshot) throws IOException {
    List<String> shown = new ArrayList<>();
    if (snapshot == null) return;
    for (AbstractCheckpointStats one : snapshot.getHistory().getCheckpoints()) {
      if (!one.getStatus().isCompleted()) continue;
      List<Long> syncs = new ArrayList<>();
      for (TaskStateStats task : one.getAllTaskStateStats()) {
        for (SubtaskStateStats part : task.getSubtaskStats()) {
          if (part != null) syncs.add(part.getSyncCheckpointDuration());
        }
      }
      shown.add(
          String.format(
              "{\"triggeredAtMs\": %d, \"durationMs\": %d, \"sizeBytes\": %d, \"syncMs\": %s}",
              one.getTriggerTimestamp(), one.getEndToEndDuration(), one.getCheckpointedSize(), syncs));
    }
    Path made = folder.resolve("checkpoints.json.making");
    Files.writeString(made, shown.toString());
    Files.move(made, folder.resolve("checkpoints.json"), StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
  }
}
