package dev.reweave.job;

import java.time.Duration;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerApplicationEnd;
import org.apache.spark.scheduler.SparkListenerJobEnd;
import org.apache.spark.scheduler.SparkListenerJobStart;
import org.apache.spark.scheduler.SparkListenerTaskEnd;
import org.apache.spark.scheduler.SparkListenerTaskStart;

/**
 * Knows which tasks of one job still run. Spark reports a failed job at once, while its other tasks
 * go on for a while: what they write must not come behind the clean-up.
 */
final class JobWatch extends SparkListener implements AutoCloseable {
  private static final String PROPERTY = "reweave.job";

  private final JavaSparkContext spark;
  private final String id = UUID.randomUUID().toString();
  private final Set<Long> running = new HashSet<>();
  private Optional<SparkListenerJobStart> job = Optional.empty();
  private boolean ended;

  /** Watches the next job that this thread starts. */
  JobWatch(JavaSparkContext spark) {
    this.spark = spark;
    spark.setLocalProperty(PROPERTY, id);
    spark.sc().addSparkListener(this);
  }

  /** Waits until the job has ended and none of its tasks runs, but not for ever. */
  synchronized void awaitTasks(Duration longest) {
    long end = System.nanoTime() + longest.toNanos();
    try {
      while (!ended || !running.isEmpty()) {
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
      job = Optional.of(start);
    }
  }

  @Override
  public synchronized void onTaskStart(SparkListenerTaskStart start) {
    if (job.filter(j -> j.stageIds().contains(start.stageId())).isPresent()) {
      running.add(start.taskInfo().taskId());
    }
  }

  @Override
  public synchronized void onTaskEnd(SparkListenerTaskEnd end) {
    running.remove(end.taskInfo().taskId());
    notifyAll();
  }

  @Override
  public synchronized void onJobEnd(SparkListenerJobEnd end) {
    ended |= job.filter(j -> j.jobId() == end.jobId()).isPresent();
    notifyAll();
  }

  @Override
  public synchronized void onApplicationEnd(SparkListenerApplicationEnd end) {
    ended = true;
    running.clear();
    notifyAll();
  }

  @Override
  public void close() {
    spark.sc().removeSparkListener(this);
    spark.setLocalProperty(PROPERTY, null);
  }
}
