package dev.reweave.job;

import dev.reweave.ReweaveException;
import java.io.Serializable;
import java.time.Duration;
import java.util.List;
import java.util.function.Consumer;
import org.apache.spark.SparkException;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.rdd.RDD;
import scala.Function1;
import scala.Function2;
import scala.collection.Iterator;
import scala.reflect.ClassTag;
import scala.reflect.ClassTag$;
import scala.runtime.BoxedUnit;

/** Runs one Spark task per item and hands each result over as it comes, so that none pile up. */
final class SparkTasks {
  /** What a task does. */
  interface Work<T, R> extends Serializable {
    R apply(T item);
  }

  private interface PartitionWork<T, R> extends Function1<Iterator<T>, R>, Serializable {}

  /** How long the other tasks of a failed job are waited for. */
  private static final Duration LONGEST_WAIT = Duration.ofMinutes(2);

  private static final String DESCRIPTION = "spark.job.description";

  private final JavaSparkContext spark;

  SparkTasks(JavaSparkContext spark) {
    this.spark = spark;
  }

  /**
   * Does the work on all items.
   *
   * @param description what the user sees in Spark's own pages
   * @param results takes each result once, in the order in which tasks end
   * @throws ReweaveException as a task threw it, once Spark's retries are used up
   */
  <T, R> void run(String description, List<T> items, Work<T, R> work, Consumer<R> results) {
    if (items.isEmpty()) {
      return;
    }
    // The session may be another program's, which has its own description of what it does.
    String before = spark.getLocalProperty(DESCRIPTION);
    spark.setJobDescription(description);
    RDD<T> rdd = spark.parallelize(items, items.size()).rdd();
    PartitionWork<T, R> onPartition = partition -> work.apply(partition.next());
    Function2<Object, R, BoxedUnit> onResult =
        (index, result) -> {
          results.accept(result);
          return BoxedUnit.UNIT;
        };
    ClassTag<R> tag = ClassTag$.MODULE$.apply(Object.class);
    try (JobWatch watch = new JobWatch(spark)) {
      try {
        spark.sc().runJob(rdd, onPartition, onResult, tag);
      } catch (Exception e) {
        watch.awaitTasks(LONGEST_WAIT);
        throw explained(e);
      }
    } finally {
      spark.setJobDescription(before);
    }
  }

  /** Spark wraps what a task threw. */
  private static RuntimeException explained(Exception thrown) {
    for (Throwable t = thrown; t != null; t = t.getCause()) {
      if (t instanceof ReweaveException known) {
        return known;
      }
    }
    if (thrown instanceof SparkException) {
      return new ReweaveException(
          "Spark could not finish the job",
          String.valueOf(thrown.getMessage()).lines().findFirst().orElse(""),
          "see the executors' logs (-v shows the driver's), then run the same command again",
          thrown);
    }
    return new IllegalStateException(thrown);
  }
}
