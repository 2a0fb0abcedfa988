package dev.reweave.spark;

import dev.reweave.common.Progress;
import dev.reweave.common.ReweaveException;
import java.io.Serializable;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.LongConsumer;
import java.util.function.ToLongFunction;
import java.util.stream.IntStream;
import org.apache.spark.SparkConf;
import org.apache.spark.SparkEnv;
import org.apache.spark.SparkException;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.rdd.RDD;
import scala.Function0;
import scala.Function1;
import scala.Function2;
import scala.collection.Iterator;
import scala.concurrent.ExecutionContext;
import scala.concurrent.ExecutionContext$;
import scala.jdk.javaapi.CollectionConverters;
import scala.runtime.BoxedUnit;

/** Runs one Spark task per item and hands each result over as it comes, so that none pile up. */
public final class SparkTasks {
  /** What a task does. */
  public interface Work<T, R> extends Serializable {
    R apply(T item);
  }

  /**
   * Items that make one job, and one row in Spark's own pages.
   *
   * @param description what the user sees there
   */
  public record Batch<T>(String description, List<T> items) {}

  /**
   * How much of the whole an item is, for who wants to know how far the work has come.
   *
   * @param of an item, as its task counts it with {@link #meter}
   */
  public record Amounts<T>(Progress.Unit unit, ToLongFunction<T> of) {
    /** Of items that are a file each. */
    public static <T> Amounts<T> files() {
      return new Amounts<>(Progress.Unit.FILES, item -> 1);
    }

    /** Of items that are so many bytes. */
    public static <T> Amounts<T> bytes(ToLongFunction<T> of) {
      return new Amounts<>(Progress.Unit.BYTES, of);
    }
  }

  /**
   * Work that is looked at as one.
   *
   * @param what it is, in a word or a few
   * @param hosts the machines where an item is best worked on; none if it is the same everywhere
   */
  public record Items<T>(
      String what, List<Batch<T>> batches, Function<T, List<String>> hosts, Amounts<T> amounts) {}

  private interface PartitionWork<T, R> extends Function1<Iterator<T>, R>, Serializable {}

  /** How long the other tasks of a failed job are waited for. */
  private static final Duration LONGEST_WAIT = Duration.ofMinutes(2);

  /** Far beyond any cluster: settings may name any number. */
  private static final int MOST_SLOTS = 100_000;

  private static final AtomicLong GROUPS = new AtomicLong();
  private static final ExecutionContext AT_ONCE =
      ExecutionContext$.MODULE$.fromExecutor(Runnable::run);

  /** What a session that another program started calls its own work. */
  private static final List<String> NAMES = List.of("spark.job.description", "spark.jobGroup.id");

  private final JavaSparkContext spark;
  private final Progress progress;

  /**
   * Tasks in this application.
   *
   * @param progress that they tell how far they have come
   */
  SparkTasks(JavaSparkContext spark, Progress progress) {
    this.spark = spark;
    this.progress = progress;
  }

  /** A value that tasks read, sent once to each machine. */
  public <T extends Serializable> Shared<T> share(T value) {
    return new Shared<>(value, () -> spark);
  }

  /** How many tasks run at the same time, once the cluster has given all that it may. */
  public int slots() {
    return slots(spark.getConf(), spark.defaultParallelism());
  }

  /**
   * The same, by a cluster's settings.
   *
   * @param now how many tasks run at the same time on what the cluster has given so far
   */
  public static int slots(SparkConf conf, int now) {
    long slots = now;
    if (conf.getBoolean("spark.dynamicAllocation.enabled", false)) {
      long executors = conf.getInt("spark.dynamicAllocation.maxExecutors", 0);
      slots = Math.max(slots, executors * conf.getInt("spark.executor.cores", 1));
    }
    return (int) Math.max(1, Math.min(slots, MOST_SLOTS));
  }

  /**
   * Does the work on all items.
   *
   * @param description what the user sees in Spark's own pages
   * @param results takes each result once, in the order in which tasks end
   * @throws ReweaveException as a task threw it, once Spark's retries are used up
   */
  public <T, R> void run(
      String description, List<T> items, Amounts<T> amounts, Work<T, R> work, Consumer<R> results) {
    List<Batch<T>> batches = List.of(new Batch<>(description, items));
    run(new Items<>(description, batches, item -> List.of(), amounts), work, results);
  }

  /**
   * Does the work on all items, batch after batch: all are with Spark's scheduler from the start,
   * which by default begins with the next one when no item of the one before waits any more.
   *
   * @param results takes each result once, in the order in which tasks end
   * @throws ReweaveException as a task threw it, once Spark's retries are used up
   */
  public <T, R> void run(Items<T> all, Work<T, R> work, Consumer<R> results) {
    List<Batch<T>> jobs = all.batches().stream().filter(b -> !b.items().isEmpty()).toList();
    if (jobs.isEmpty()) {
      return;
    }
    Map<String, String> before = new HashMap<>();
    NAMES.forEach(name -> before.put(name, spark.getLocalProperty(name)));
    String group = "reweave " + GROUPS.incrementAndGet();
    int started = 0;
    Amounts<T> amounts = all.amounts();
    long total = jobs.stream().flatMap(job -> job.items().stream()).mapToLong(amounts.of()).sum();
    Progress.Step step = progress.begin(all.what(), amounts.unit(), total);
    Meter meter = new Meter(spark);
    try (JobWatch watch = new JobWatch(spark, meter, step)) {
      try {
        CompletableFuture<Void> done = new CompletableFuture<>();
        AtomicInteger open = new AtomicInteger(jobs.size());
        for (Batch<T> job : jobs) {
          spark.setJobGroup(group, job.description(), false);
          spark.sc().setCallSite(job.description());
          RDD<T> rdd = new ItemRdd<>(spark.sc(), job.items(), all.hosts());
          PartitionWork<T, byte[]> onItem = partition -> done(work, partition.next(), meter);
          Function2<Object, byte[], BoxedUnit> onResult =
              (index, result) -> {
                step.add(amounts.of().applyAsLong(job.items().get((Integer) index)));
                handOver(result, results);
                return BoxedUnit.UNIT;
              };
          submit(rdd, job.items().size(), onItem, onResult, open, done);
          started++;
        }
        done.get();
      } catch (Exception e) {
        spark.cancelJobGroup(group);
        watch.awaitTasks(started, LONGEST_WAIT);
        throw explained(e instanceof ExecutionException failed ? failed.getCause() : e);
      }
    } finally {
      spark.clearJobGroup();
      spark.sc().clearCallSite();
      before.forEach(spark::setLocalProperty);
    }
  }

  private <T> void submit(
      RDD<T> rdd,
      int items,
      PartitionWork<T, byte[]> onPartition,
      Function2<Object, byte[], BoxedUnit> onResult,
      AtomicInteger open,
      CompletableFuture<Void> done) {
    List<Object> all = IntStream.range(0, items).boxed().map(Object.class::cast).toList();
    Function0<BoxedUnit> nothing = () -> BoxedUnit.UNIT;
    spark
        .sc()
        .submitJob(rdd, onPartition, CollectionConverters.asScala(all).toSeq(), onResult, nothing)
        .onComplete(
            result -> {
              if (result.isFailure()) {
                done.completeExceptionally(result.failed().get());
              } else if (open.decrementAndGet() == 0) {
                done.complete(null);
              }
              return BoxedUnit.UNIT;
            },
            AT_ONCE);
  }

  /**
   * Spark ends the process for errors that it takes for fatal, as for exceptions with such a cause;
   * one task that goes wrong is no reason for that.
   */
  private static <T, R> byte[] done(Work<T, R> work, T item, Meter meter) {
    meter.start();
    try {
      return Packed.of(work.apply(item));
    } catch (OutOfMemoryError e) {
      throw without(SparkFailures.outOfMemory(e), e);
    } catch (StackOverflowError e) {
      throw without(new IllegalStateException("the stack of a task overflowed"), e);
    } finally {
      Meter.stop();
    }
  }

  @SuppressWarnings("unchecked")
  private static <R> void handOver(byte[] result, Consumer<R> results) {
    results.accept((R) Packed.value(result));
  }

  private static RuntimeException without(RuntimeException told, Error fatal) {
    told.addSuppressed(fatal);
    return told;
  }

  /**
   * In a task, on its own thread, what takes the bytes that it has done; elsewhere it takes them
   * for nobody.
   */
  public static LongConsumer meter() {
    return Meter.ofTask();
  }

  /** In a task, which attempt it is and on which machine, for messages; empty elsewhere. */
  public static String attempt() {
    TaskContext task = TaskContext.get();
    return task == null
        ? ""
        : "attempt "
            + (task.attemptNumber() + 1)
            + " on "
            + SparkEnv.get().blockManager().blockManagerId().host();
  }

  /** Spark wraps what a task threw. */
  private static RuntimeException explained(Throwable thrown) {
    for (Throwable t = thrown; t != null; t = t.getCause()) {
      if (t instanceof ReweaveException known) {
        return known;
      }
    }
    Throwable last = thrown;
    while (last.getCause() != null) {
      last = last.getCause();
    }
    // What a task threw is the last cause; without one, Spark itself could not go on.
    if (last instanceof SparkException) {
      return SparkFailures.jobFailed(
          String.valueOf(last.getMessage()).lines().findFirst().orElse(""), thrown);
    }
    return new IllegalStateException(thrown);
  }
}
