package dev.reweave.bench;

import dev.reweave.manifest.Manifest;
import dev.reweave.tensor.TensorSpec;
import dev.reweave.testing.FaultProxy;
import dev.reweave.testing.HadoopFiles;
import dev.reweave.testing.Launcher;
import dev.reweave.testing.Link;
import dev.reweave.testing.S3Server;
import dev.reweave.testing.SparkCluster;
import dev.reweave.testing.SyntheticCheckpoint;
import dev.reweave.testing.WorkTimes;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FileSystem;
import org.openjdk.jmh.annotations.AuxCounters;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Timeout;
import org.openjdk.jmh.annotations.Warmup;

/**
 * How a conversion from S3 to S3 becomes faster with more executors. The store is far away: each of
 * its answers comes late, and no connection is fast; so executors wait, as they do on a real store,
 * and those of a small machine do not fight for its cores.
 *
 * <p>The score is that of the whole command. {@code workSeconds} count from the moment at which the
 * first chunk is handed to Spark until the manifest, the last file, is visible: reading, casting,
 * writing, checking, publishing; {@code taskSeconds} end with the last task: the server here copies
 * the parts of a file together, which takes it a second for every 80 MB, whoever asks. The start of
 * JVMs and the reading of metadata are not in them.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.SingleShotTime)
@OutputTimeUnit(TimeUnit.SECONDS)
@Warmup(iterations = 0)
@Measurement(iterations = 3)
@Fork(1)
@Timeout(time = 30, timeUnit = TimeUnit.MINUTES)
public class ScalingBenchmark {
  private static final Duration LATENCY = Duration.ofMillis(50);

  /** So few that four executors leave most of two cores idle, and wait for the store. */
  private static final long BYTES_PER_SECOND = 1_000_000;

  private static final int STAGE = 3;
  private static final int RANKS = 4;

  /** Of one core each. */
  @Param({"1", "2", "4"})
  public int executors;

  /** What the masters are cast to. */
  @Param("bfloat16")
  public String dtype;

  /** Of all F32 masters together. */
  @Param("1920000000")
  public long masterBytes;

  private final Folder folder = new Folder();
  private S3Server server;
  private FaultProxy proxy;
  private FileSystem store;
  private SparkCluster cluster;
  private long elements;
  private String input;
  private int runs;
  private Path events;
  private String output;

  /** Parts of the score; JMH tells the sums of all runs that count. */
  @State(Scope.Thread)
  @AuxCounters(AuxCounters.Type.EVENTS)
  public static class Work {
    public double workSeconds;
    public double taskSeconds;
  }

  /** Starts store and cluster, and uploads the checkpoint. */
  @Setup(Level.Trial)
  public void start() throws IOException {
    server = S3Server.start();
    proxy = FaultProxy.start(server.endpoint(), Link.far(LATENCY, BYTES_PER_SECOND));
    Configuration near = new Configuration();
    server.configure(near);
    store = FileSystem.newInstance(URI.create("s3a://" + server.newBucket()), near);
    List<TensorSpec> params = SyntheticCheckpoint.llama(masterBytes);
    elements = params.stream().mapToLong(p -> p.shape().elements()).sum();
    Path local = folder.path().resolve("in");
    SyntheticCheckpoint.write(local, STAGE, RANKS, params, 1);
    input = HadoopFiles.copy(local, store, "/runs/ckpt");
    Folder.delete(local);
    cluster = SparkCluster.start(folder.path().resolve("cluster"), executors);
  }

  /** Chooses a new output. */
  @Setup(Level.Invocation)
  public void next() throws IOException {
    runs++;
    events = Files.createDirectories(folder.path().resolve("events" + runs));
    output = store.getUri() + "/models/" + runs;
    proxy.clear();
  }

  /** Converts with all executors. */
  @Benchmark
  public void convert(Work work) throws IOException, InterruptedException {
    Launcher.Result result = Launcher.begin(cluster.environment(), command()).await();
    if (result.exitCode() != 0) {
      throw new IllegalStateException(result.toString());
    }
    WorkTimes times = WorkTimes.read(events, published());
    work.workSeconds += times.seconds();
    work.taskSeconds += times.taskSeconds();
  }

  /** Looks whether all was written, so that no run is fast because it did less. */
  @TearDown(Level.Invocation)
  public void check() throws IOException {
    long written = manifest().result().shards().stream().mapToLong(Manifest.Shard::bytes).sum();
    long least = elements * (dtype.equals("float32") ? 4 : 2);
    if (written < least) {
      throw new IllegalStateException(written + " bytes were written, and " + least + " wanted");
    }
    store.delete(new org.apache.hadoop.fs.Path(output), true);
  }

  /** Ends what was started. */
  @TearDown(Level.Trial)
  public void stop() throws IOException {
    cluster.close();
    store.close();
    proxy.close();
    server.close();
    folder.delete();
  }

  private List<String> command() {
    Map<String, String> settings = new TreeMap<>();
    proxy.signedSettings().forEach((name, value) -> settings.put("spark.hadoop." + name, value));
    settings.put("spark.executor.cores", "1");
    settings.put("spark.executor.memory", "512m");
    settings.put("spark.driver.memory", "512m");
    settings.put("spark.driver.host", "127.0.0.1");
    // All executors are there before anything begins.
    settings.put("spark.dynamicAllocation.enabled", "false");
    settings.put("spark.cores.max", Integer.toString(executors));
    settings.put("spark.scheduler.minRegisteredResourcesRatio", "1.0");
    settings.put("spark.scheduler.maxRegisteredResourcesWaitingTime", "300s");
    settings.put("spark.eventLog.enabled", "true");
    settings.put("spark.eventLog.dir", events.toUri().toString());
    settings.put("spark.eventLog.compress", "false");
    List<String> command =
        new ArrayList<>(List.of("submit/standalone.sh", "--master", cluster.url()));
    settings.forEach((name, value) -> command.addAll(List.of("--conf", name + "=" + value)));
    command.addAll(List.of("convert", "-i", input, "-o", output, "--dtype", dtype));
    return command;
  }

  /** When the store took the manifest, which comes last. */
  private long published() {
    return proxy.requests().stream()
        .filter(r -> r.request().method().equals("PUT"))
        .filter(r -> r.request().path().endsWith("/" + Manifest.FILE_NAME))
        .mapToLong(FaultProxy.Recorded::millis)
        .max()
        .orElseThrow();
  }

  private Manifest manifest() throws IOException {
    try (FSDataInputStream in =
        store.open(new org.apache.hadoop.fs.Path(output, Manifest.FILE_NAME))) {
      return Manifest.parse(in.readAllBytes(), output);
    }
  }
}
