package dev.reweave.job;

import dev.reweave.checkpoint.Checkpoint;
import dev.reweave.checkpoint.CheckpointReader;
import dev.reweave.plan.ConversionPlan;
import dev.reweave.plan.Planner;
import dev.reweave.report.Manifest;
import dev.reweave.report.RunFigures;
import dev.reweave.storage.OutputFolder;
import dev.reweave.storage.Stores;
import java.time.Instant;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.broadcast.Broadcast;

/** The main job: reads metadata, plans, runs the plan, publishes the result. */
public final class Conversion {
  /** Memory that one task takes at most for its buffers, in bytes; the same for every model. */
  public static final long TASK_BYTES = ChunkTask.BUFFERS;

  private final JavaSparkContext spark;
  private final Stores stores;

  /** Conversions on this cluster, between these stores. */
  public Conversion(JavaSparkContext spark, Stores stores) {
    this.spark = spark;
    this.stores = stores;
  }

  /**
   * Converts one checkpoint. Either the whole result becomes visible or nothing does.
   *
   * @return what was done
   * @throws dev.reweave.ReweaveException if it cannot be done
   */
  public Manifest run(ConversionRequest request) {
    Instant start = Instant.now();
    OutputFolder output = OutputCheck.check(stores, request);
    Broadcast<Stores> shared = spark.broadcast(stores);
    SparkTasks tasks = new SparkTasks(spark);
    try {
      Checkpoint checkpoint =
          new CheckpointReader(stores, new SparkScanner(tasks, shared))
              .read(request.input(), request.reading());
      ConversionPlan plan = new Planner(request.planning()).plan(checkpoint);
      output.begin();
      try {
        output.requireSpace(plan.bytesToWrite());
        RunFigures figures = new PlanRunner(spark, tasks, shared).run(plan, output);
        Manifest manifest =
            Manifest.of(
                stores.resolve(request.input()),
                checkpoint,
                request.planning(),
                request.reading(),
                plan,
                figures,
                spark.version(),
                start);
        new Publisher(output).publish(plan, manifest);
        return manifest;
      } finally {
        output.end();
      }
    } finally {
      shared.destroy();
    }
  }
}
