package dev.reweave.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.reweave.testing.TestSpark;
import java.util.List;
import org.apache.spark.Partition;
import org.apache.spark.SparkConf;
import org.junit.jupiter.api.Test;
import scala.jdk.javaapi.CollectionConverters;

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
    assertEquals(TestSpark.context().defaultParallelism(), TestSpark.cluster().tasks().slots());
  }

  @Test
  void eachItemIsAPartitionNearItsHosts() {
    ItemRdd<String> items =
        new ItemRdd<>(
            TestSpark.context().sc(),
            List.of("left", "right"),
            item -> item.equals("left") ? List.of("a", "b") : List.of());

    Partition[] partitions = items.partitions();
    assertEquals(2, partitions.length);
    assertEquals(
        List.of("a", "b"), CollectionConverters.asJava(items.preferredLocations(partitions[0])));
    assertEquals(List.of(), CollectionConverters.asJava(items.preferredLocations(partitions[1])));
    assertEquals(List.of("left", "right"), items.toJavaRDD().collect());
  }
}
