package dev.reweave.testing;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeoutException;
import org.apache.spark.SparkContext;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.status.api.v1.AccumulableInfo;
import org.apache.spark.status.api.v1.JobData;
import org.apache.spark.status.api.v1.StageData;
import scala.jdk.javaapi.CollectionConverters;

/** What Spark's own pages show of the jobs since some moment, from the store that they read. */
public final class SparkPages {
  private final SparkContext spark;
  private final int before;
  private final int stagesBefore;

  private SparkPages(SparkContext spark) {
    this.spark = spark;
    this.before = jobs(spark).stream().mapToInt(JobData::jobId).max().orElse(-1);
    this.stagesBefore = stages(spark).stream().mapToInt(StageData::stageId).max().orElse(-1);
  }

  /** The pages from now on. */
  public static SparkPages from(JavaSparkContext context) {
    return new SparkPages(context.sc());
  }

  /** The descriptions of all jobs, in the order of their numbers. */
  public List<String> jobs() {
    return jobs(spark).stream()
        .filter(job -> job.jobId() > before)
        .sorted(Comparator.comparingInt(JobData::jobId))
        .map(job -> job.description().get())
        .toList();
  }

  /** The descriptions and names of all stages, in the order of their numbers. */
  public List<String> stages() {
    return newStages().stream()
        .map(stage -> stage.description().get() + " | " + stage.name())
        .toList();
  }

  /** The accumulators that have a name, with their last values. */
  public Map<String, Long> accumulators() {
    Map<String, Long> found = new TreeMap<>();
    for (StageData stage : newStages()) {
      for (AccumulableInfo info : CollectionConverters.asJava(stage.accumulatorUpdates())) {
        found.merge(info.name(), Long.parseLong(info.value()), Math::max);
      }
    }
    return found;
  }

  private List<StageData> newStages() {
    return stages(spark).stream()
        .filter(stage -> stage.stageId() > stagesBefore)
        .sorted(Comparator.comparingInt(StageData::stageId))
        .toList();
  }

  private static void settle(SparkContext spark) {
    try {
      spark.listenerBus().waitUntilEmpty();
    } catch (TimeoutException e) {
      throw new IllegalStateException(e);
    }
  }

  private static List<JobData> jobs(SparkContext spark) {
    settle(spark);
    return new ArrayList<>(
        CollectionConverters.asJava(spark.statusStore().jobsList(new ArrayList<>())));
  }

  private static List<StageData> stages(SparkContext spark) {
    settle(spark);
    return new ArrayList<>(
        CollectionConverters.asJava(
            spark
                .statusStore()
                .stageList(new ArrayList<>(), false, false, new double[0], new ArrayList<>())));
  }
}
