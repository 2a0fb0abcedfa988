package dev.reweave.spark;

import dev.reweave.common.Progress;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.apache.spark.Success$;
import org.apache.spark.TaskKilled;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.scheduler.AccumulableInfo;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerApplicationEnd;
import org.apache.spark.scheduler.SparkListenerExecutorMetricsUpdate;
import org.apache.spark.scheduler.SparkListenerJobEnd;
import org.apache.spark.scheduler.SparkListenerJobStart;
import org.apache.spark.scheduler.SparkListenerTaskEnd;
import org.apache.spark.scheduler.SparkListenerTaskStart;
import scala.jdk.javaapi.CollectionConverters;

/**
 * Knows which tasks of some jobs still run, and tells how far they have come. Spark reports a
 * failed job at once, while its other tasks go on for a while: what they write must not come behind
 * the clean-up.
 */
final class JobWatch extends SparkListener implements AutoCloseable {
  private static final String PROPERTY = "reweave.job";

  private final JavaSparkContext spark;
  private final Meter meter;
  private final Progress.Step step;
  private final String id = UUID.randomUUID().toString();
  private final Map<Long, Long> running = new HashMap<>();
  private final Set<Integer> jobs = new HashSet<>();
  private final Set<Integer> stages = new HashSet<>();
  private int ended;
  private boolean stopped;

  /**
   * Watches the jobs that this thread starts from now on.
   *
   * @param meter that their tasks count with
   * @param step what they do
   */
  JobWatch(JavaSparkContext spark, Meter meter, Progress.Step step) {
    this.spark = spark;
    this.meter = meter;
    this.step = step;
    spark.setLocalProperty(PROPERTY, id);
    spark.sc().addSparkListener(this);
  }

  /**
   * Waits until the jobs have ended and none of their tasks runs, but not for ever.
   *
   * @param started how many jobs were started
   */
  synchronized void awaitTasks(int started, Duration longest) {
    long end = System.nanoTime() + longest.toNanos();
    try {
      while (!stopped && (ended < started || !running.isEmpty())) {
        long left = (end - System.nanoTime()) / 1_000_000;
        if (left <= 0 || spark.sc().isStopped()) {
          return;
        }
        wait(left);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public synchronized void onJobStart(SparkListenerJobStart start) {
    if (id.equals(start.properties().getProperty(PROPERTY))) {
      jobs.add(start.jobId());
      for (scala.collection.Iterator<Object> i = start.stageIds().iterator(); i.hasNext(); ) {
        stages.add((Integer) i.next());
      }
    }
  }

  @Override
  public synchronized void onTaskStart(SparkListenerTaskStart start) {
    if (stages.contains(start.stageId())) {
      running.put(start.taskInfo().taskId(), 0L);
      tell();
    }
  }

  /** Executors tell every few seconds what their tasks have counted. */
  @Override
  public synchronized void onExecutorMetricsUpdate(SparkListenerExecutorMetricsUpdate update) {
    CollectionConverters.asJava(update.accumUpdates())
        .forEach(
            task -> {
              for (AccumulableInfo sum : CollectionConverters.asJava(task._4())) {
                if (meter.is(sum) && sum.update().isDefined()) {
                  running.computeIfPresent(
                      (Long) task._1(), (t, before) -> (Long) sum.update().get());
                }
              }
            });
    tell();
  }

  @Override
  public synchronized void onTaskEnd(SparkListenerTaskEnd end) {
    if (running.remove(end.taskInfo().taskId()) != null) {
      // Of two that do the same, one is killed when the other has done it.
      if (end.reason() != Success$.MODULE$ && !(end.reason() instanceof TaskKilled)) {
        step.retried();
      }
      tell();
    }
    notifyAll();
  }

  private void tell() {
    step.underWay(running.size(), running.values().stream().mapToLong(Long::longValue).sum());
  }

  @Override
  public synchronized void onJobEnd(SparkListenerJobEnd end) {
    if (jobs.contains(end.jobId())) {
      ended++;
    }
    notifyAll();
  }

  @Override
  public synchronized void onApplicationEnd(SparkListenerApplicationEnd end) {
    stopped = true;
    notifyAll();
  }

  @Override
  public void close() {
    spark.sc().removeSparkListener(this);
    spark.setLocalProperty(PROPERTY, null);
    step.close();
  }
}
