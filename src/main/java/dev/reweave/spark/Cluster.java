package dev.reweave.spark;

import dev.reweave.common.Progress;
import dev.reweave.storage.MetadataScanner;
import dev.reweave.storage.Stores;
import dev.reweave.storage.ThreadScanner;
import java.io.Serializable;
import java.util.Optional;
import java.util.function.Supplier;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.api.java.JavaSparkContext;

/**
 * The machines that do the work: those of a running Spark application, or this one alone. Other
 * rooms run tasks on it and need not know Spark.
 *
 * <p>Where it is this one alone, Spark may still be starting: it is waited for by what needs it,
 * and metadata, which does not, is read meanwhile.
 */
public final class Cluster {
  private final Supplier<JavaSparkContext> context;
  private final Optional<Configuration> embedded;
  private final Progress progress;

  /** The machines of an application that runs. */
  public Cluster(JavaSparkContext context) {
    this(context, new Progress());
  }

  /**
   * The same.
   *
   * @param progress that its tasks tell how far they have come
   */
  Cluster(JavaSparkContext context, Progress progress) {
    this(() -> context, Optional.empty(), progress);
  }

  /**
   * This machine.
   *
   * @param context waits until Spark is there; throws what kept it from starting
   * @param settings of Hadoop's file systems
   */
  static Cluster embedded(
      Supplier<JavaSparkContext> context, Configuration settings, Progress progress) {
    return new Cluster(context, Optional.of(settings), progress);
  }

  private Cluster(
      Supplier<JavaSparkContext> context, Optional<Configuration> embedded, Progress progress) {
    this.context = context;
    this.embedded = embedded;
    this.progress = progress;
  }

  /** How far the work on it has come. */
  public Progress progress() {
    return progress;
  }

  /**
   * The application, for rooms that use more of Spark.
   *
   * @throws dev.reweave.common.ReweaveException if it could not be started
   */
  public JavaSparkContext context() {
    return context.get();
  }

  /** Stores with the settings of the application. */
  public Stores stores() {
    return new Stores(embedded.orElseGet(() -> context().hadoopConfiguration()));
  }

  /** A value that tasks read, sent once to each machine. */
  public <T extends Serializable> Shared<T> share(T value) {
    return new Shared<>(value, context);
  }

  /** Reads the metadata of many files: in tasks, or on threads where there is one machine. */
  public MetadataScanner scanner(Shared<Stores> stores) {
    return embedded.isPresent()
        ? new ThreadScanner(stores.value(), progress)
        : new SparkScanner(tasks(), stores);
  }

  /** Tasks in this application. */
  public SparkTasks tasks() {
    return new SparkTasks(context(), progress);
  }

  /** A sum over tasks, which Spark's pages show under its name. */
  public Counter counter(String name) {
    return new Counter(context().sc().longAccumulator(name));
  }

  /** When and where the tasks run from now on, until it is closed. */
  public TaskTimeline timeline() {
    return new TaskTimeline(context());
  }

  /** Whether all work is done in this process. */
  public boolean isLocal() {
    return embedded.isPresent() || context().isLocal();
  }

  /** Version of Spark. */
  public String version() {
    return org.apache.spark.package$.MODULE$.SPARK_VERSION();
  }
}
