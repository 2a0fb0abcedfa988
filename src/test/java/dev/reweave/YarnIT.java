package dev.reweave;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.manifest.Manifest;
import dev.reweave.testing.Fixtures;
import dev.reweave.testing.HadoopFiles;
import dev.reweave.testing.Launcher;
import dev.reweave.testing.TestHdfs;
import dev.reweave.testing.YarnCluster;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.yarn.api.records.ApplicationId;
import org.apache.hadoop.yarn.api.records.FinalApplicationStatus;
import org.apache.hadoop.yarn.server.resourcemanager.rmapp.RMApp;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The packaged jar on Hadoop's YARN, from HDFS to HDFS, by Spark's own client of it: application
 * master and executors are containers, and in the mode {@code cluster} the driver is one: {@code
 * mvn -P clusters verify}.
 */
@Tag("clusters")
class YarnIT {
  private static final Path CHECKPOINT = Fixtures.folder("z3_bf16_w2/ckpt");
  private static final String WROTE = "wrote  12 tensors, ";

  @TempDir static Path temp;
  private static YarnCluster yarn;
  private static Map<String, String> expected;

  private final FileSystem store = TestHdfs.fileSystem();
  private final String folder = "/yarn";
  private Set<ApplicationId> before;

  @BeforeAll
  static void startAndConvertHere() throws Exception {
    Path here = temp.resolve("here");
    Launcher.Result made =
        Launcher.run("convert", "-i", CHECKPOINT.toString(), "-o", here.toString());
    assertEquals(0, made.exitCode(), made::toString);
    expected = weights(Fixtures.digests(here));
    yarn = YarnCluster.start(temp.resolve("cluster"), TestHdfs.configuration());
  }

  @AfterAll
  static void stop() throws Exception {
    yarn.close();
  }

  @BeforeEach
  void notePast() {
    before = yarn.applications().keySet();
  }

  @AfterEach
  void delete() throws Exception {
    store.delete(new org.apache.hadoop.fs.Path(folder), true);
  }

  private static Map<String, String> weights(Map<String, String> digests) {
    Map<String, String> weights = new TreeMap<>(digests);
    weights.keySet().removeIf(name -> !name.endsWith(".safetensors"));
    return weights;
  }

  /** Converts a copy of a checkpoint. */
  private Launcher.Result convert(String mode, Path checkpoint) throws Exception {
    String in = HadoopFiles.copy(checkpoint, store, folder + "/in");
    Map<String, String> environment = new TreeMap<>(yarn.environment());
    environment.put("REWEAVE_DEPLOY_MODE", mode);
    List<String> command = new ArrayList<>(List.of("submit/yarn.sh"));
    // Small enough for the nodes; all else is as in conf/cluster.conf.
    for (String setting :
        List.of(
            "spark.yarn.jars=" + yarn.jars(),
            "spark.executor.cores=1",
            "spark.executor.memory=512m",
            "spark.driver.memory=512m",
            "spark.executor.extraJavaOptions=" + Launcher.SHORT_LIVED)) {
      command.addAll(List.of("--conf", setting));
    }
    command.addAll(List.of("convert", "-i", in, "-o", store.getUri() + folder + "/out"));
    return Launcher.begin(environment, command).await();
  }

  /** The one application of this test. */
  private RMApp application() {
    List<RMApp> applications =
        yarn.applications().entrySet().stream()
            .filter(entry -> !before.contains(entry.getKey()))
            .map(Map.Entry::getValue)
            .toList();
    assertEquals(1, applications.size());
    return applications.get(0);
  }

  /** What a folder of the store holds, hidden or not. */
  private Set<String> entries(String path) throws Exception {
    return Arrays.stream(store.listStatus(new org.apache.hadoop.fs.Path(path)))
        .map(FileStatus::getPath)
        .map(org.apache.hadoop.fs.Path::getName)
        .collect(Collectors.toSet());
  }

  /** What the driver said, here or in the logs of the application. */
  private String driverSaid(String mode, String here, String log) throws Exception {
    return mode.equals("client")
        ? here
        : String.join("\n", yarn.written(application().getApplicationId(), log));
  }

  @ParameterizedTest
  @ValueSource(strings = {"client", "cluster"})
  void converts(String mode) throws Exception {
    Launcher.Result converted = convert(mode, CHECKPOINT);

    assertEquals(0, converted.exitCode(), converted::toString);
    assertEquals(FinalApplicationStatus.SUCCEEDED, application().getFinalApplicationStatus());
    assertEquals(expected, weights(HadoopFiles.digests(store, folder + "/out")));
    assertEquals(mode.equals("client"), converted.out().contains(WROTE), converted::toString);
    String said = driverSaid(mode, converted.out(), "stdout");
    assertTrue(said.contains(WROTE), said);
    assertEquals(Set.of("model.safetensors", Manifest.FILE_NAME), entries(folder + "/out"));
    assertEquals(Set.of("in", "out"), entries(folder));
  }

  /** Of a task, in an executor. */
  @ParameterizedTest
  @ValueSource(strings = {"client", "cluster"})
  void tellsOfFailure(String mode) throws Exception {
    Launcher.Result failed = convert(mode, Fixtures.folder("corrupt/z3_flipped_byte/ckpt"));

    assertEquals(1, failed.exitCode(), failed::toString);
    String said = driverSaid(mode, failed.err(), "stderr");
    assertTrue(said.contains("\nreweave: damaged weights: "), said);
    assertEquals(Set.of("in"), entries(folder));
    if (mode.equals("cluster")) {
      assertEquals(FinalApplicationStatus.FAILED, application().getFinalApplicationStatus());
      assertTrue(failed.err().contains("Exception: damaged weights: "), failed::toString);
    }
  }
}
