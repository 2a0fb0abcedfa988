package dev.reweave.spark;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.scheduler.AccumulableInfo;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerJobEnd;
import org.apache.spark.scheduler.SparkListenerJobStart;
import org.apache.spark.scheduler.SparkListenerTaskEnd;
import org.apache.spark.scheduler.TaskInfo;

/** Notes when and where the tasks of the application run, from now on. */
public final class TaskTimeline implements AutoCloseable {
  private static final String DESCRIPTION = "spark.job.description";
  private static final String PROPERTY = "reweave.timeline";

  /** Spark tells of what has ended a little later. */
  private static final Duration LONGEST_WAIT = Duration.ofSeconds(10);

  private final JavaSparkContext spark;
  private final Notes notes;

  /** Begins. */
  TaskTimeline(JavaSparkContext spark) {
    this.spark = spark;
    this.notes = new Notes();
    spark.sc().addSparkListener(notes);
  }

  /** All attempts that have ended since the last call, in the order in which they ended. */
  public List<TaskSpan> take() {
    // Events come in the order in which they happened: behind this job there is nothing left.
    String marker = UUID.randomUUID().toString();
    spark.setLocalProperty(PROPERTY, marker);
    try {
      var unused = spark.emptyRDD().collect();
    } finally {
      spark.setLocalProperty(PROPERTY, null);
    }
    return notes.take(marker, LONGEST_WAIT);
  }

  @Override
  public void close() {
    spark.sc().removeSparkListener(notes);
  }

  private static final class Notes extends SparkListener {
    private final List<TaskSpan> spans = new ArrayList<>();
    private final Map<Integer, String> stages = new HashMap<>();
    private final Map<Integer, String> markers = new HashMap<>();
    private String seen = "";

    synchronized List<TaskSpan> take(String marker, Duration longest) {
      long end = System.nanoTime() + longest.toNanos();
      try {
        for (long left = longest.toMillis();
            !seen.equals(marker) && left > 0;
            left = (end - System.nanoTime()) / 1_000_000) {
          wait(left);
        }
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
      List<TaskSpan> taken = List.copyOf(spans);
      spans.clear();
      return taken;
    }

    @Override
    public synchronized void onJobStart(SparkListenerJobStart start) {
      String what = start.properties().getProperty(DESCRIPTION, "");
      for (scala.collection.Iterator<Object> i = start.stageIds().iterator(); i.hasNext(); ) {
        stages.put((Integer) i.next(), what);
      }
      markers.put(start.jobId(), start.properties().getProperty(PROPERTY, ""));
    }

    @Override
    public synchronized void onJobEnd(SparkListenerJobEnd end) {
      String marker = markers.remove(end.jobId());
      if (marker != null && !marker.isEmpty()) {
        seen = marker;
        notifyAll();
      }
    }

    @Override
    public synchronized void onTaskEnd(SparkListenerTaskEnd end) {
      TaskInfo task = end.taskInfo();
      TaskSpan.Outcome outcome =
          task.successful()
              ? TaskSpan.Outcome.DONE
              : task.killed() ? TaskSpan.Outcome.KILLED : TaskSpan.Outcome.FAILED;
      boolean done = outcome == TaskSpan.Outcome.DONE;
      spans.add(
          new TaskSpan(
              new TaskSpan.Executor(task.executorId(), task.host()),
              stages.getOrDefault(end.stageId(), ""),
              task.launchTime(),
              task.finishTime(),
              task.attemptNumber(),
              outcome,
              done ? counted(task, Counter.BYTES_READ) : 0,
              done ? counted(task, Counter.BYTES_WRITTEN) : 0));
    }

    private static long counted(TaskInfo task, String counter) {
      long sum = 0;
      for (scala.collection.Iterator<AccumulableInfo> i = task.accumulables().iterator();
          i.hasNext(); ) {
        AccumulableInfo info = i.next();
        if (info.name().contains(counter)
            && info.update().isDefined()
            && info.update().get() instanceof Number amount) {
          sum += amount.longValue();
        }
      }
      return sum;
    }
  }
}
