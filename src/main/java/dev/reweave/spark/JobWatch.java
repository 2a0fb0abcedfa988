package dev.reweave.spark;

import java.time.Duration;
import java.util.HashSet;
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
 * Knows which tasks of some jobs still run. Spark reports a failed job at once, while its other
 * tasks go on for a while: what they write must not come behind the clean-up.
 */
final class JobWatch extends SparkListener implements AutoCloseable {
  private static final String PROPERTY = "reweave.job";

  private final JavaSparkContext spark;
  private final String id = UUID.randomUUID().toString();
  private final Set<Long> running = new HashSet<>();
  private final Set<Integer> jobs = new HashSet<>();
  private final Set<Integer> stages = new HashSet<>();
  private int ended;
  private boolean stopped;

  /** Watches the jobs that this thread starts from now on. */
  JobWatch(JavaSparkContext spark) {
    this.spark = spark;
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
  }
}
