package dev.reweave.gather;

import com.codahale.metrics.Counter;
import com.codahale.metrics.MetricRegistry;

/**
 * What the tasks in this process have done since it started, for monitoring. Unlike the sums that
 * Spark's pages show, these tell of work, not of its result: a chunk that is made twice, by
 * speculation or since its first result was lost, counts twice. An attempt that fails counts as one
 * failed chunk, and what it had read until then does not count.
 */
public final class ExecutorMetrics {
  private static final Counter BYTES_READ = new Counter();
  private static final Counter BYTES_WRITTEN = new Counter();
  private static final Counter ELEMENTS_CAST = new Counter();
  private static final Counter READS = new Counter();
  private static final Counter CHUNKS = new Counter();
  private static final Counter FAILED_CHUNKS = new Counter();

  private ExecutorMetrics() {}

  /** Shows the counters in a registry. */
  public static void register(MetricRegistry registry) {
    registry.register("bytesRead", BYTES_READ);
    registry.register("bytesWritten", BYTES_WRITTEN);
    registry.register("elementsCast", ELEMENTS_CAST);
    registry.register("reads", READS);
    registry.register("chunks", CHUNKS);
    registry.register("failedChunks", FAILED_CHUNKS);
  }

  /**
   * Counts a chunk that was made.
   *
   * @param bytesWritten 0 where it was only tried
   */
  static void add(ChunkResult result, long bytesWritten) {
    BYTES_READ.inc(result.reads().bytes());
    BYTES_WRITTEN.inc(bytesWritten);
    ELEMENTS_CAST.inc(result.elementsCast());
    READS.inc(result.reads().requests());
    CHUNKS.inc();
  }

  /** Counts an attempt that failed. */
  static void addFailed() {
    FAILED_CHUNKS.inc();
  }
}
