package dev.reweave.testing;

import dev.reweave.checkpoint.ReadOptions;
import dev.reweave.common.ReweaveException;
import dev.reweave.convert.Conversion;
import dev.reweave.convert.ConversionOptions;
import dev.reweave.convert.ConversionRequest;
import dev.reweave.manifest.Manifest;
import dev.reweave.plan.PlanOptions;
import dev.reweave.spark.Cluster;
import dev.reweave.storage.Stores;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.SparkConf;
import org.apache.spark.api.java.JavaSparkContext;

/**
 * A program of its own, since one process has one Spark: converts where each task of the conversion
 * fails a few times and is tried up to three times, and prints what came of it.
 */
public final class RetryingSpark {
  private RetryingSpark() {}

  /** Converts: {@code INPUT OUTPUT FAILING_ATTEMPTS}. */
  public static void main(String[] args) {
    SparkConf conf =
        new SparkConf()
            .setMaster("local[2,3]")
            .setAppName("retries")
            .set("spark.ui.enabled", "false")
            .set("spark.driver.host", "127.0.0.1");
    try (JavaSparkContext spark = new JavaSparkContext(conf)) {
      Configuration hadoop = new Configuration(spark.hadoopConfiguration());
      FaultyFileSystem.configure(hadoop);
      FaultyFileSystem.failAttempts("convert: ", Integer.parseInt(args[2]));
      SparkPages pages = SparkPages.from(spark);
      ConversionRequest request =
          new ConversionRequest(
              Locations.of(args[0]),
              Locations.of(args[1]),
              new ConversionOptions(
                  ReadOptions.defaults(),
                  PlanOptions.DEFAULTS.withSizes(400, 64_000),
                  ConversionRequest.ExistingOutput.REFUSE,
                  ConversionRequest.Earlier.CONTINUE));
      try {
        Manifest.Figures figures =
            new Conversion(new Cluster(spark), new Stores(hadoop))
                .run(request)
                .manifest()
                .figures();
        System.out.println("figures: " + figures);
        System.out.println("failures: " + FaultyFileSystem.failures());
        System.out.println("accumulators: " + pages.accumulators());
      } catch (ReweaveException e) {
        System.out.println("failed: " + e.getMessage());
      }
    }
  }
}
