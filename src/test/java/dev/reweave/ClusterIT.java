package dev.reweave;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.reweave.manifest.Manifest;
import dev.reweave.tensor.TensorSpec;
import dev.reweave.testing.Fault;
import dev.reweave.testing.FaultProxy;
import dev.reweave.testing.FaultProxy.Request;
import dev.reweave.testing.Fixtures;
import dev.reweave.testing.HadoopFiles;
import dev.reweave.testing.Launcher;
import dev.reweave.testing.S3Server;
import dev.reweave.testing.SparkCluster;
import dev.reweave.testing.SyntheticCheckpoint;
import dev.reweave.testing.TestHdfs;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.LocatedFileStatus;
import org.apache.hadoop.fs.RemoteIterator;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The packaged jar on a cluster of processes: master, workers, executors and driver are JVMs of
 * their own. An executor is killed and another one stands still in the middle of the work; the
 * result is byte for byte that of a calm run on one machine.
 */
class ClusterIT {
  private static final int TENSORS = 16;
  private static final long TENSOR_BYTES = 3_000_000;

  /** Of a megabyte each, in two shards. */
  private static final int HDFS_PARTS = 48;

  private static final long MOST_JAR_BYTES = 4_000_000;

  @TempDir static Path temp;
  private static Path input;
  private static Map<String, String> expected;
  private static SparkCluster cluster;

  @BeforeAll
  static void startClusterAndConvertInPeace() throws Exception {
    List<TensorSpec> parameters = SyntheticCheckpoint.layers(TENSORS, TENSOR_BYTES);
    input = temp.resolve("in");
    SyntheticCheckpoint.write(input, 3, 2, parameters, 5);
    Path whole = temp.resolve("whole");
    Launcher.Result result =
        Launcher.run(convert(input.toString(), whole.toString(), "5MB").toArray(String[]::new));
    assertEquals(0, result.exitCode(), result::toString);
    expected = weights(Fixtures.digests(whole));
    assertEquals(3, expected.size());
    cluster = SparkCluster.start(temp.resolve("cluster"), 2);
  }

  @AfterAll
  static void stopCluster() {
    cluster.close();
  }

  private static List<String> convert(String from, String to, String chunk) {
    return List.of(
        "convert", "-i", from, "-o", to, "--max-shard-size", "24MB", "--chunk-size", chunk);
  }

  private static Map<String, String> weights(Map<String, String> digests) {
    Map<String, String> weights = new TreeMap<>(digests);
    assertTrue(weights.remove(Manifest.FILE_NAME) != null, "no manifest");
    return weights;
  }

  /** Submits as the script does; {@code events} is where Spark tells what happened. */
  private static Launcher.Running submit(
      Path events, Map<String, String> settings, List<String> arguments) throws IOException {
    Files.createDirectories(events);
    Map<String, String> all = new TreeMap<>(settings);
    // Small enough for the workers, and quick to start twins; all else is as in conf/cluster.conf.
    all.put("spark.executor.cores", "1");
    all.put("spark.executor.memory", "512m");
    all.put("spark.driver.memory", "512m");
    all.put("spark.executor.extraJavaOptions", Launcher.SHORT_LIVED);
    all.put("spark.speculation.quantile", "0.1");
    all.put("spark.speculation.multiplier", "1.1");
    all.put("spark.speculation.minTaskRuntime", "100ms");
    // Broadcasts come from the same host first: no new executor asks the one that stands still.
    all.put("spark.driver.host", "127.0.0.1");
    all.put("spark.eventLog.enabled", "true");
    all.put("spark.eventLog.dir", events.toUri().toString());
    all.put("spark.eventLog.compress", "false");
    List<String> command =
        new ArrayList<>(List.of("submit/standalone.sh", "--master", cluster.url()));
    all.forEach((name, value) -> command.addAll(List.of("--conf", name + "=" + value)));
    command.addAll(arguments);
    return Launcher.begin(cluster.environment(), command);
  }

  private static Map<String, String> forHadoop(Map<String, String> settings) {
    Map<String, String> prefixed = new TreeMap<>();
    settings.forEach((name, value) -> prefixed.put("spark.hadoop." + name, value));
    return prefixed;
  }

  @Test
  void theJarIsSmallAndBringsNeitherSparkNorHadoop() throws IOException {
    Path jar = Path.of("target", "reweave.jar");
    assertTrue(Files.size(jar) < MOST_JAR_BYTES, "bytes: " + Files.size(jar));
    try (ZipFile zip = new ZipFile(jar.toFile())) {
      List<String> foreign =
          zip.stream()
              .map(ZipEntry::getName)
              .filter(name -> name.endsWith(".class") && !name.startsWith("dev/reweave/"))
              .toList();
      assertEquals(List.of(), foreign);
    }
  }

  @Test
  void onAnObjectStoreExecutorsMayDieAndStandStill() throws Exception {
    S3Server server = S3Server.shared();
    String bucket = server.newBucket();
    Configuration conf = new Configuration();
    server.configure(conf);
    try (FaultProxy proxy = FaultProxy.start(server);
        FileSystem fs =
            FileSystem.newInstance(
                new org.apache.hadoop.fs.Path("s3a://" + bucket).toUri(), conf)) {
      String from = HadoopFiles.copy(input, fs, "/run");
      String to = "s3a://" + bucket + "/models/run";
      Path events = temp.resolve("events-s3");
      Fault.Hold hold = Fault.hold();
      proxy.inject(ClusterIT::isPart, 2, hold);
      Launcher.Running driver =
          submit(events, forHadoop(proxy.settings()), convert(from, to, "5MB"));
      // Two executors of one core each, and two held parts: both are in the middle of a task.
      cluster.await("two parts", () -> hold.requests().size() == 2);
      cluster.executor(0).destroyForcibly();
      // One part is sent again since its executor died, the other by a twin of its task.
      cluster.await(
          "a second attempt at both parts",
          () -> hold.requests().stream().allMatch(part -> isDone(proxy, part)));
      hold.release();
      Launcher.Result result = driver.await();

      assertEquals(0, result.exitCode(), result::toString);
      assertEquals(expected, weights(HadoopFiles.digests(fs, to)));
      assertEquals(List.of(), server.pendingUploads(bucket));
      assertFalse(fs.exists(new org.apache.hadoop.fs.Path(to, ".reweave")));
      assertStrains(events);
    }
  }

  private static boolean isPart(Request request) {
    return request.method().equals("PUT") && request.query().contains("partNumber=");
  }

  private static boolean isDone(FaultProxy proxy, Request part) {
    return proxy.requests().stream()
        .anyMatch(
            r ->
                r.status() == 200
                    && r.request().method().equals(part.method())
                    && r.request().path().equals(part.path())
                    && r.request().query().equals(part.query()));
  }

  @Test
  void onHdfsExecutorsMayDieAndStandStill() throws Exception {
    FileSystem fs = TestHdfs.fileSystem();
    String from = HadoopFiles.copy(input, fs, "/cluster/run");
    String to = fs.getUri() + "/cluster/model";
    Path events = temp.resolve("events-hdfs");
    Launcher.Running driver =
        submit(events, forHadoop(Map.of("dfs.replication", "1")), convert(from, to, "1MB"));
    cluster.await("a staged part", () -> !parts(fs, to).isEmpty());
    ProcessHandle killed = cluster.executor(0);
    ProcessHandle frozen = cluster.executor(1);
    SparkCluster.freeze(frozen);
    try {
      SparkCluster.freeze(killed);
      // Nothing moves now, so this is the middle.
      int begun = parts(fs, to).size();
      assertTrue(begun < HDFS_PARTS - 5, "parts: " + begun);
      killed.destroyForcibly();
      Launcher.Result result = driver.await();

      assertEquals(0, result.exitCode(), result::toString);
    } finally {
      SparkCluster.thaw(frozen);
    }
    frozen.onExit().join();
    assertEquals(expected, weights(HadoopFiles.digests(fs, to)));
    assertFalse(fs.exists(new org.apache.hadoop.fs.Path(to, ".reweave")));
    assertStrains(events);
  }

  @Test
  void localPathsAreRefusedUnlessAllMachinesShareThem() throws Exception {
    Path output = temp.resolve("shared");
    String checkpoint = Fixtures.folder("z3_bf16_w2/ckpt").toString();
    List<String> convert = List.of("convert", "-i", checkpoint, "-o", output.toString());

    Launcher.Result refused = submit(temp.resolve("events-refused"), Map.of(), convert).await();

    assertEquals(1, refused.exitCode(), refused::toString);
    assertEquals(
        "reweave: a path on this machine, where the executors of "
            + cluster.url()
            + " may not find it: file:"
            + checkpoint
            + "; name an address that all machines reach, such as s3a: or hdfs:, or add"
            + " --shared-filesystem if it is mounted under this path on each of them\n",
        errors(refused));
    assertFalse(Files.exists(output));
    Path calm = temp.resolve("calm");
    Launcher.Result here = Launcher.run("convert", "-i", checkpoint, "-o", calm.toString());
    assertEquals(0, here.exitCode(), here::toString);
    List<String> shared = new ArrayList<>(convert);
    shared.add("--shared-filesystem");

    Launcher.Result converted = submit(temp.resolve("events-shared"), Map.of(), shared).await();

    assertEquals(0, converted.exitCode(), converted::toString);
    assertEquals(weights(Fixtures.digests(calm)), weights(Fixtures.digests(output)));
  }

  /** What the program said; the JVM announces a module that Spark's own launcher adds. */
  private static String errors(Launcher.Result result) {
    return result.err().replaceFirst("^WARNING: Using incubator modules: .*\n", "");
  }

  @Test
  void whatATaskRefusesIsOneMessageOfTheDriver() throws Exception {
    Path output = temp.resolve("damaged");
    String damaged = Fixtures.folder("corrupt/z3_flipped_byte/ckpt").toString();

    Launcher.Result failed =
        submit(
                temp.resolve("events-damaged"),
                Map.of(),
                List.of(
                    "convert",
                    "-i",
                    damaged,
                    "-o",
                    output.toString(),
                    "--shared-filesystem",
                    "--quiet"))
            .await();

    assertEquals(1, failed.exitCode(), failed::toString);
    assertEquals(1, errors(failed).lines().count(), failed::toString);
    assertTrue(errors(failed).startsWith("reweave: damaged weights"), failed::toString);
    assertFalse(Files.exists(output));
  }

  /** The parts that tasks have begun to write, each once. */
  private static Set<String> parts(FileSystem fs, String output) {
    Set<String> parts = new HashSet<>();
    try {
      RemoteIterator<LocatedFileStatus> files =
          fs.listFiles(new org.apache.hadoop.fs.Path(output, ".reweave/files"), true);
      while (files.hasNext()) {
        String attempt = files.next().getPath().toString();
        parts.add(attempt.substring(0, attempt.lastIndexOf('.')));
      }
    } catch (FileNotFoundException e) {
      // Not begun yet.
      return parts;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return parts;
  }

  private static boolean isLog(Path file) {
    return Files.isRegularFile(file) && !file.toString().endsWith(".crc");
  }

  /**
   * That one executor was lost with a task, a task of the same stage had a twin, and nobody waited
   * for the one that stands still.
   */
  private static void assertStrains(Path events) throws IOException {
    Set<Integer> lost = new HashSet<>();
    Set<Integer> twins = new HashSet<>();
    List<String> removed = new ArrayList<>();
    try (Stream<Path> files = Files.walk(events)) {
      for (Path file : files.filter(ClusterIT::isLog).toList()) {
        for (String line : Files.readAllLines(file)) {
          JsonNode event = new ObjectMapper().readTree(line);
          int stage = event.path("Stage ID").asInt(-1);
          String end = event.at("/Task End Reason/Reason").asText();
          if (end.equals("ExecutorLostFailure")) {
            lost.add(stage);
          } else if (end.equals("Success") && event.at("/Task Info/Speculative").asBoolean()) {
            twins.add(stage);
          } else if (event.path("Event").asText().equals("SparkListenerExecutorRemoved")) {
            removed.add(event.path("Removed Reason").asText());
          }
        }
      }
    }
    assertEquals(1, lost.size(), "an executor was lost with a task, in stages " + lost);
    assertTrue(twins.containsAll(lost), "twins succeeded in stages " + twins + ", not " + lost);
    // One that stands still is given up after two minutes: no run lasts for that.
    assertEquals(1, removed.size(), "executors were given up: " + removed);
  }
}
