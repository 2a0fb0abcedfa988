package dev.reweave.spark;

import dev.reweave.gather.ExecutorMetrics;
import java.util.Map;
import org.apache.spark.api.plugin.DriverPlugin;
import org.apache.spark.api.plugin.ExecutorPlugin;
import org.apache.spark.api.plugin.PluginContext;
import org.apache.spark.api.plugin.SparkPlugin;

/**
 * Shows what each executor has done to Spark's metrics sinks (JMX, Prometheus, Graphite, …) as the
 * counters {@code bytesRead}, {@code bytesWritten}, {@code elementsCast}, {@code reads}, {@code
 * chunks} and {@code failedChunks} of the source {@code
 * plugin.dev.reweave.spark.ReweaveMetricsPlugin}: that is how Spark names the source of a plugin.
 * Contexts that Reweave starts have it; others have it with {@code
 * spark.plugins=dev.reweave.spark.ReweaveMetricsPlugin}.
 *
 * <p>The counters tell of work, not of its result: what speculation or a retry does twice counts
 * twice, and an attempt that fails adds one to {@code failedChunks} and nothing else.
 */
public final class ReweaveMetricsPlugin implements SparkPlugin {
  @Override
  public DriverPlugin driverPlugin() {
    return new DriverPlugin() {};
  }

  @Override
  public ExecutorPlugin executorPlugin() {
    return new ExecutorPlugin() {
      @Override
      public void init(PluginContext context, Map<String, String> unused) {
        ExecutorMetrics.register(context.metricRegistry());
      }
    };
  }
}
