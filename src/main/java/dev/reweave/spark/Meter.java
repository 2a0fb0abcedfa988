package dev.reweave.spark;

import java.io.Serializable;
import java.util.function.LongConsumer;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.scheduler.AccumulableInfo;
import org.apache.spark.util.LongAccumulator;

/**
 * Counts the bytes that a task has done so far. Executors send the count with their signs of life,
 * so that one is told of long tasks before they end.
 */
final class Meter implements Serializable {
  private static final long serialVersionUID = 1L;

  private static final ThreadLocal<LongConsumer> OF_TASK = ThreadLocal.withInitial(() -> b -> {});

  private final LongAccumulator sum;

  Meter(JavaSparkContext spark) {
    // Without a name Spark's pages do not show it, which have the bytes already.
    sum = spark.sc().longAccumulator();
  }

  boolean is(AccumulableInfo info) {
    return info.id() == sum.id();
  }

  /** In a task: counts what this thread does until it ends. */
  void start() {
    OF_TASK.set(sum::add);
  }

  /** In a task, on its own thread: ends that. */
  static void stop() {
    OF_TASK.remove();
  }

  /** In a task, on its own thread: where it tells of the bytes it has done; of no use elsewhere. */
  static LongConsumer ofTask() {
    return OF_TASK.get();
  }
}
