package dev.reweave.testing;

import dev.reweave.storage.Stores;
import org.apache.spark.SparkConf;
import org.apache.spark.api.java.JavaSparkContext;

/** One embedded Spark for all tests of this JVM, with two cores. */
public final class TestSpark {
  private static final JavaSparkContext CONTEXT =
      new JavaSparkContext(
          new SparkConf()
              .setMaster("local[2]")
              .setAppName("tests")
              .set("spark.ui.enabled", "false")
              .set("spark.plugins", "dev.reweave.job.ReweaveMetricsPlugin")
              .set("spark.driver.host", "127.0.0.1")
              // HDFS clients wait that long for the first time before they close a file.
              .set(
                  "spark.hadoop.dfs.client.block.write.locateFollowingBlock.initial.delay.ms",
                  "5"));

  private TestSpark() {}

  /** The context; never to be closed by a test. */
  public static JavaSparkContext context() {
    return CONTEXT;
  }

  /** Stores with the context's configuration. */
  public static Stores stores() {
    return new Stores(CONTEXT.hadoopConfiguration());
  }
}
