package dev.reweave.testing;

import dev.reweave.spark.Cluster;
import dev.reweave.storage.Stores;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import org.apache.spark.SparkConf;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.SparkSession;

/** One embedded Spark for all tests of this JVM, with two cores. */
public final class TestSpark {
  private static final JavaSparkContext CONTEXT =
      new JavaSparkContext(
          new SparkConf()
              .setMaster("local[2]")
              .setAppName("tests")
              .set("spark.ui.enabled", "false")
              .set("spark.plugins", "dev.reweave.spark.ReweaveMetricsPlugin")
              .set("spark.driver.host", "127.0.0.1")
              .set("spark.executor.heartbeatInterval", "1s")
              // HDFS clients wait that long for the first time before they close a file.
              .set(
                  "spark.hadoop.dfs.client.block.write.locateFollowingBlock.initial.delay.ms",
                  "5"));

  private TestSpark() {}

  /** The context; never to be closed by a test. */
  public static JavaSparkContext context() {
    return CONTEXT;
  }

  /** The same as conversions see it. */
  public static Cluster cluster() {
    return new Cluster(CONTEXT);
  }

  /** A session for SQL on the same context, with a warehouse that nobody needs. */
  public static SparkSession session() {
    return Session.ONE;
  }

  /** Made at first use: most tests need none. */
  private static final class Session {
    private static final SparkSession ONE = start();

    private static SparkSession start() {
      try {
        return SparkSession.builder()
            .config("spark.sql.warehouse.dir", Files.createTempDirectory("reweave-sql-").toString())
            .config("spark.sql.shuffle.partitions", "2")
            .getOrCreate();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }

  /** Stores with the context's configuration. */
  public static Stores stores() {
    return new Stores(CONTEXT.hadoopConfiguration());
  }
}
