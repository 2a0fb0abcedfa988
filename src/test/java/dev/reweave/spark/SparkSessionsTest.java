package dev.reweave.spark;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.reweave.checkpoint.ReadOptions;
import dev.reweave.common.ReweaveException;
import dev.reweave.convert.Checks;
import dev.reweave.convert.ConversionRequest;
import dev.reweave.plan.PlanOptions;
import dev.reweave.plan.prepare.BaseChoice;
import dev.reweave.plan.prepare.MappingChoice;
import dev.reweave.storage.Stores;
import dev.reweave.testing.TestHdfs;
import dev.reweave.testing.TestSpark;
import java.util.List;
import java.util.Optional;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.api.java.JavaSparkContext;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** How Reweave meets the Spark that it runs on. */
class SparkSessionsTest {
  private static final String HDFS = "hdfs://127.0.0.1:8020/models";
  private static final Stores STORES = new Stores(new Configuration());

  @ParameterizedTest
  @ValueSource(strings = {"spark://h:7077", "yarn", "k8s://https://h", "local-cluster[2,1,1024]"})
  void aClusterDoesNotSeeTheDisksOfThisMachine(String master) {
    for (String local : List.of("/data/run", "file:/data/run", "file:///data/run")) {
      for (List<String> addresses : List.of(List.of(local, HDFS), List.of(HDFS, local))) {
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
        () -> SparkSessions.requireReachable(master, STORES, List.of(HDFS, HDFS + "2")));
  }

  @ParameterizedTest
  @ValueSource(strings = {"local", "local[*]", "local[4]", "local[2,3]"})
  void anEmbeddedRunDoes(String master) {
    assertDoesNotThrow(() -> SparkSessions.requireReachable(master, STORES, List.of("/data")));
  }

  @Test
  void pathsOfAnotherDefaultStoreAreNoLocalOnes() {
    Configuration conf = TestHdfs.configuration();
    assertEquals("hdfs", TestHdfs.fileSystem().getUri().getScheme());
    assertDoesNotThrow(
        () -> SparkSessions.requireReachable("yarn", new Stores(conf), List.of("/models")));
  }

  @Test
  void everyAddressOfARequestCounts() {
    BaseChoice base =
        new BaseChoice(
            "c", BaseChoice.Mode.COPY, Optional.empty(), Optional.empty(), Optional.empty());
    assertEquals(List.of("a", "b"), request(Optional.empty()).addresses());
    assertEquals(List.of("a", "b", "c"), request(Optional.of(base)).addresses());
  }

  private static ConversionRequest request(Optional<BaseChoice> base) {
    return new ConversionRequest(
        "a",
        "b",
        ReadOptions.defaults(),
        PlanOptions.DEFAULTS,
        MappingChoice.NONE,
        base,
        ConversionRequest.Proving.SAMPLE,
        Checks.DEFAULTS,
        ConversionRequest.ExistingOutput.REFUSE,
        ConversionRequest.Earlier.CONTINUE);
  }

  @Test
  void aContextThatOthersStartedGoesOn() {
    JavaSparkContext theirs = TestSpark.context();
    try (SparkSessions.Session session = SparkSessions.start("guest")) {
      assertSame(theirs.sc(), session.cluster().context().sc());
    }
    assertFalse(TestSpark.context().sc().isStopped());
    assertEquals(List.of(1, 2), TestSpark.context().parallelize(List.of(1, 2), 2).collect());
  }
}
