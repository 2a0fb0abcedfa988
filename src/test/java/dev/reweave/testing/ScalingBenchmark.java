package dev.reweave.testing;

import dev.reweave.manifest.Manifest;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FileSystem;

/**
 * Measures how a conversion from S3 to S3 becomes faster with more executors. The store is far
 * away: each of its answers comes late, and no connection is fast; so executors wait, as they do on
 * a real store, and those of a small machine do not fight for its cores.
 *
 * <p>Counts the work from the moment at which the first chunk is handed to Spark until the
 * manifest, the last file, is visible: reading, casting, writing, checking, publishing. The start
 * of JVMs and the reading of metadata are not in it; all executors are there before.
 */
public final class ScalingBenchmark {
  private static final List<Integer> EXECUTORS = List.of(1, 2, 4);
  private static final Duration LATENCY = Duration.ofMillis(50);
  private static final long BYTES_PER_SECOND = 4_000_000;
  private static final int STAGE = 3;
  private static final int RANKS = 4;
  private static final String SHARD = "50MB";

  private final String dtype;
  private final int repetitions;
  private final long masterBytes;
  private final Path folder;

  private ScalingBenchmark(String dtype, int repetitions, long masterBytes, Path folder) {
    this.dtype = dtype;
    this.repetitions = repetitions;
    this.masterBytes = masterBytes;
    this.folder = folder;
  }

  /** Prints a table: {@code [DTYPE [REPETITIONS [BYTES_OF_MASTERS]]]}. */
  public static void main(String[] args) throws Exception {
    String dtype = args.length > 0 ? args[0] : "bfloat16";
    int repetitions = args.length > 1 ? Integer.parseInt(args[1]) : 3;
    long masterBytes = args.length > 2 ? Long.parseLong(args[2]) : 480_000_000;
    Path folder = Files.createTempDirectory("reweave-scaling-");
    try {
      new ScalingBenchmark(dtype, repetitions, masterBytes, folder).run();
    } finally {
      delete(folder);
    }
  }

  private void run() throws Exception {
    try (S3Server server = S3Server.start();
        FaultProxy proxy =
            FaultProxy.start(server.endpoint(), Link.far(LATENCY, BYTES_PER_SECOND))) {
      String bucket = server.newBucket();
      Configuration near = new Configuration();
      server.configure(near);
      try (FileSystem fs = FileSystem.newInstance(URI.create("s3a://" + bucket), near)) {
        String input = upload(fs);
        System.out.printf(
            Locale.ROOT,
            "%s; each answer %d ms late, each connection at most %.1f MB/s%n",
            dtype,
            LATENCY.toMillis(),
            BYTES_PER_SECOND / 1e6);
        measure(server, proxy, fs, input);
      }
    }
  }

  private String upload(FileSystem fs) throws IOException {
    Path local = folder.resolve("in");
    var unused =
        SyntheticCheckpoint.write(local, STAGE, RANKS, SyntheticCheckpoint.llama(masterBytes), 1);
    String input = HadoopFiles.copy(local, fs, "/runs/ckpt");
    delete(local);
    return input;
  }

  private void measure(S3Server server, FaultProxy proxy, FileSystem fs, String input)
      throws Exception {
    List<ScalingTable> table = new ArrayList<>();
    List<Map<String, String>> results = new ArrayList<>();
    for (int executors : EXECUTORS) {
      try (SparkCluster cluster =
          SparkCluster.start(folder.resolve("cluster" + executors), executors)) {
        for (int run = 0; run < repetitions; run++) {
          String name = executors + "-" + run;
          Path events = Files.createDirectories(folder.resolve("events" + name));
          String output = fs.getUri() + "/models/" + name;
          proxy.clear();
          double busyBefore = cpuSeconds(server);
          Launcher.Result result =
              Launcher.begin(
                      cluster.environment(),
                      command(cluster.url(), executors, events, proxy, input, output))
                  .await();
          if (result.exitCode() != 0) {
            throw new IllegalStateException(result.toString());
          }
          WorkTimes times = WorkTimes.read(events, published(proxy));
          Manifest manifest = manifest(fs, output);
          results.add(checksums(manifest));
          if (table.isEmpty()) {
            table.add(new ScalingTable(bytes(manifest)));
          }
          table.get(0).add(executors, times.seconds(), times.taskSeconds());
          System.out.printf(
              Locale.ROOT,
              "%d executors: %.1f s, tasks %.1f s; %d requests; server and proxy busy %.1f s;"
                  + " load %.1f%n",
              executors,
              times.seconds(),
              times.taskSeconds(),
              proxy.requests().size(),
              cpuSeconds(server) - busyBefore,
              ManagementFactory.getOperatingSystemMXBean().getSystemLoadAverage());
          fs.delete(new org.apache.hadoop.fs.Path(output), true);
        }
      }
    }
    if (results.stream().distinct().count() != 1) {
      throw new IllegalStateException("the results differ: " + results);
    }
    System.out.print(table.get(0).text());
  }

  private List<String> command(
      String master, int executors, Path events, FaultProxy proxy, String input, String output) {
    Map<String, String> settings = new TreeMap<>();
    proxy.settings().forEach((name, value) -> settings.put("spark.hadoop." + name, value));
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
    List<String> command = new ArrayList<>(List.of("submit/standalone.sh", "--master", master));
    settings.forEach((name, value) -> command.addAll(List.of("--conf", name + "=" + value)));
    command.addAll(List.of("convert", "-i", input, "-o", output, "--dtype", dtype));
    command.addAll(List.of("--max-shard-size", SHARD));
    return command;
  }

  /** When the store took the manifest, which comes last. */
  private static long published(FaultProxy proxy) {
    return proxy.requests().stream()
        .filter(r -> r.request().method().equals("PUT"))
        .filter(r -> r.request().path().endsWith("/" + Manifest.FILE_NAME))
        .mapToLong(FaultProxy.Recorded::millis)
        .max()
        .orElseThrow();
  }

  private static Manifest manifest(FileSystem fs, String output) throws IOException {
    try (FSDataInputStream in =
        fs.open(new org.apache.hadoop.fs.Path(output, Manifest.FILE_NAME))) {
      return Manifest.parse(in.readAllBytes(), output);
    }
  }

  /** Of all that was written, so that no run is fast because it did less. */
  private static Map<String, String> checksums(Manifest manifest) {
    Map<String, String> checksums = new TreeMap<>();
    manifest.result().shards().forEach(shard -> checksums.put(shard.name(), shard.crc32c()));
    return checksums;
  }

  private static long bytes(Manifest manifest) {
    return manifest.figures().bytesRead()
        + manifest.result().shards().stream().mapToLong(Manifest.Shard::bytes).sum();
  }

  /** What the store and the link take of the cores that the executors need. */
  private static double cpuSeconds(S3Server server) {
    return Stream.of(server.handle(), ProcessHandle.current())
        .map(process -> process.info().totalCpuDuration().orElse(Duration.ZERO))
        .mapToDouble(cpu -> cpu.toMillis() / 1000.0)
        .sum();
  }

  private static void delete(Path folder) throws IOException {
    try (Stream<Path> paths = Files.walk(folder)) {
      for (Path path : paths.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(path);
      }
    }
  }
}
