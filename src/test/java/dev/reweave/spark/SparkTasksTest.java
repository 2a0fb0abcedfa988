package dev.reweave.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.reweave.testing.TestSpark;
import org.apache.spark.SparkConf;
import org.junit.jupiter.api.Test;

/** For how many tasks at a time the work is cut. */
class SparkTasksTest {
  private static SparkConf cluster(String enabled) {
    return new SparkConf(false)
        .set("spark.dynamicAllocation.enabled", enabled)
        .set("spark.dynamicAllocation.maxExecutors", "16")
        .set("spark.executor.cores", "4");
  }

  @Test
  void executorsThatAreStillToComeCount() {
    assertEquals(64, SparkTasks.slots(cluster("true"), 2));
    assertEquals(80, SparkTasks.slots(cluster("true"), 80));
  }

  @Test
  void withoutALimitThoseCountThatAreThere() {
    assertEquals(6, SparkTasks.slots(cluster("false"), 6));
    assertEquals(
        6, SparkTasks.slots(cluster("true").remove("spark.dynamicAllocation.maxExecutors"), 6));
  }

  @Test
  void anyNumberIsSurvived() {
    SparkConf most = cluster("true").set("spark.dynamicAllocation.maxExecutors", "2147483647");
    assertEquals(100_000, SparkTasks.slots(most, 2));
    assertEquals(1, SparkTasks.slots(new SparkConf(false), 0));
  }

  @Test
  void onOneMachineItsCoresCount() {
    assertEquals(
        TestSpark.context().defaultParallelism(), new SparkTasks(TestSpark.context()).slots());
  }
}
