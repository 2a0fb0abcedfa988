package dev.reweave.spark;

import dev.reweave.storage.Stores;
import java.io.Serializable;
import org.apache.spark.api.java.JavaSparkContext;

/**
 * The machines that do the work: those of a running Spark application, or this one alone. Other
 * rooms run tasks on it and need not know Spark.
 *
 * @param context of the application, for rooms that use more of Spark
 */
public record Cluster(JavaSparkContext context) {
  /** Stores with the settings of the application. */
  public Stores stores() {
    return new Stores(context.hadoopConfiguration());
  }

  /** A value that tasks read, sent once to each machine. */
  public <T extends Serializable> Shared<T> share(T value) {
    return new Shared<>(context.broadcast(value));
  }

  /** Tasks in this application. */
  public SparkTasks tasks() {
    return new SparkTasks(context);
  }

  /** A sum over tasks, which Spark's pages show under its name. */
  public Counter counter(String name) {
    return new Counter(context.sc().longAccumulator(name));
  }

  /** Whether all work is done in this process. */
  public boolean isLocal() {
    return context.isLocal();
  }

  /** Version of Spark. */
  public String version() {
    return context.version();
  }
}
