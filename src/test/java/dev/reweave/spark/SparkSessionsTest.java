package dev.reweave.spark;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.common.Location;
import dev.reweave.common.Progress;
import dev.reweave.common.ReweaveException;
import dev.reweave.storage.Stores;
import dev.reweave.testing.TestHdfs;
import dev.reweave.testing.TestSpark;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.SparkConf;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.deploy.SparkHadoopUtil;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** How Reweave meets the Spark that it runs on. */
class SparkSessionsTest {
  private static final String COMMITTER = "mapreduce.fileoutputcommitter.algorithm.version";
  private static final Stores STORES = new Stores(new Configuration());
  private static final Location HDFS = STORES.locate("hdfs://127.0.0.1:8020/models");

  @ParameterizedTest
  @ValueSource(strings = {"spark://h:7077", "yarn", "k8s://https://h", "local-cluster[2,1,1024]"})
  void aClusterDoesNotSeeTheDisksOfThisMachine(String master) {
    for (String local : List.of("/data/run", "file:/data/run", "file:///data/run")) {
      Location here = STORES.locate(local);
      for (List<Location> addresses : List.of(List.of(here, HDFS), List.of(HDFS, here))) {
        ReweaveException refused =
            assertThrows(
                ReweaveException.class,
                () -> SparkSessions.requireReachable(master, STORES, addresses));
        assertEquals(
            "a path on this machine, where the executors of " + master + " may not find it",
            refused.problem());
        assertEquals("file:/data/run", refused.place());
      }
    }
    assertDoesNotThrow(
        () -> SparkSessions.requireReachable(master, STORES, List.of(HDFS, HDFS.child("2"))));
  }

  @ParameterizedTest
  @ValueSource(strings = {"local", "local[*]", "local[4]", "local[2,3]"})
  void anEmbeddedRunDoes(String master) {
    assertDoesNotThrow(
        () -> SparkSessions.requireReachable(master, STORES, List.of(STORES.locate("/data"))));
  }

  @Test
  void pathsOfAnotherDefaultStoreAreNoLocalOnes() {
    Configuration conf = TestHdfs.configuration();
    assertEquals("hdfs", TestHdfs.fileSystem().getUri().getScheme());
    Stores stores = new Stores(conf);
    List<Location> addresses = List.of(stores.locate("/models"));
    assertDoesNotThrow(() -> SparkSessions.requireReachable("yarn", stores, addresses));
  }

  @Test
  void aContextThatOthersStartedGoesOn() {
    JavaSparkContext theirs = TestSpark.context();
    try (SparkSessions.Session session = SparkSessions.start("guest", new Progress())) {
      assertSame(theirs.sc(), session.cluster().context().sc());
    }
    assertFalse(TestSpark.context().sc().isStopped());
    assertEquals(List.of(1, 2), TestSpark.context().parallelize(List.of(1, 2), 2).collect());
  }

  @Test
  void commandsWithoutSparkHaveItsSettingsOfStores() {
    Map<String, String> ofSpark = new TreeMap<>();
    SparkHadoopUtil.get()
        .newConfiguration(new SparkConf(false))
        .forEach(setting -> ofSpark.put(setting.getKey(), setting.getValue()));
    Map<String, String> ours = new TreeMap<>();
    SparkSessions.hadoopConfiguration(new Properties(), System.getenv())
        .forEach(setting -> ours.put(setting.getKey(), setting.getValue()));
    // Of Hadoop's committers, which nothing here uses.
    ofSpark.remove(COMMITTER);
    ours.remove(COMMITTER);
    assertEquals(ofSpark, ours);
  }

  @Test
  void commandsWithoutSparkSeeTheStoresAsItDoes() {
    Properties given = new Properties();
    given.setProperty("spark.hadoop.fs.s3a.endpoint.region", "eu-central-1");
    given.setProperty("spark.executor.memory", "1g");
    Map<String, String> environment =
        Map.of(
            "AWS_ACCESS_KEY_ID", "id",
            "AWS_SECRET_ACCESS_KEY", "secret",
            "AWS_ENDPOINT_URL", "http://127.0.0.1:9000");
    Configuration settings = SparkSessions.hadoopConfiguration(given, environment);
    assertEquals("eu-central-1", settings.get("fs.s3a.endpoint.region"));
    assertEquals("id", settings.get("fs.s3a.access.key"));
    assertEquals("secret", settings.get("fs.s3a.secret.key"));
    assertEquals("http://127.0.0.1:9000", settings.get("fs.s3a.endpoint"));

    given.setProperty("spark.hadoop.fs.s3a.access.key", "other");
    assertEquals(
        "other",
        SparkSessions.hadoopConfiguration(given, environment).get("fs.s3a.access.key"),
        "what is given is stronger than the environment");
    Configuration half =
        SparkSessions.hadoopConfiguration(
            new Properties(), Map.of("AWS_ENDPOINT_URL", "http://127.0.0.1:9000"));
    assertNotEquals("http://127.0.0.1:9000", half.get("fs.s3a.endpoint"), "Spark wants keys, too");
  }

  @Test
  void aValueIsThereWhetherSparkIsOrNot() {
    ReweaveException refusal = SparkFailures.notStarted("no", "local[*]", null);
    Cluster machine =
        Cluster.embedded(
            () -> {
              throw refusal;
            },
            new Configuration(),
            new Progress());
    try (Shared<String> shared = machine.share("value")) {
      assertEquals("value", shared.value());
      assertEquals(List.of(), machine.scanner(machine.share(STORES)).scan(List.of()));
      assertTrue(machine.isLocal());
    }
    assertSame(refusal, assertThrows(ReweaveException.class, machine::tasks));
  }

  @Test
  void whoWaitsForSparkIsToldWhyItDidNotStart() {
    ReweaveException refusal = SparkFailures.notStarted("no", "local[*]", null);
    Starting failed =
        new Starting(
            () -> {
              throw refusal;
            });
    assertSame(refusal, assertThrows(ReweaveException.class, failed::context));
    assertFalse(failed.hasStarted());
    Starting broken =
        new Starting(
            () -> {
              throw new NoClassDefFoundError("x");
            });
    assertEquals("x", assertThrows(NoClassDefFoundError.class, broken::context).getMessage());
    Starting well = new Starting(() -> TestSpark.context().sc());
    assertTrue(well.hasStarted());
    assertSame(TestSpark.context().sc(), well.context().sc());
  }
}
