package dev.reweave.look.compare;

import dev.reweave.checkpoint.Checkpoint;
import dev.reweave.gather.ChunkResult;
import dev.reweave.gather.ChunkTask;
import dev.reweave.plan.Chunk;
import dev.reweave.plan.ConversionPlan;
import dev.reweave.plan.FileNames;
import dev.reweave.plan.Format;
import dev.reweave.plan.Measuring;
import dev.reweave.plan.PlanOptions;
import dev.reweave.plan.Planner;
import dev.reweave.plan.ResultModel;
import dev.reweave.plan.Segment;
import dev.reweave.plan.TargetType;
import dev.reweave.spark.Cluster;
import dev.reweave.spark.Counter;
import dev.reweave.spark.Shared;
import dev.reweave.spark.SparkTasks;
import dev.reweave.storage.PartRule;
import dev.reweave.storage.ReadLimit;
import dev.reweave.storage.Stores;
import dev.reweave.target.base.WeightNames;
import java.util.List;
import java.util.Optional;
import java.util.function.BiConsumer;

/** Goes once over the weights of a checkpoint, in the types that they have, and writes nothing. */
public final class WeightsPass {
  private final Cluster cluster;
  private final Shared<Stores> stores;
  private final Measuring measuring;

  /**
   * A pass on this cluster.
   *
   * @param stores that the tasks read from
   * @param measuring what is found out about tensors
   */
  public WeightsPass(Cluster cluster, Shared<Stores> stores, Measuring measuring) {
    this.cluster = cluster;
    this.stores = stores;
    this.measuring = measuring;
  }

  /** What is to be read. */
  public static ConversionPlan plan(Checkpoint checkpoint) {
    FileNames names =
        new FileNames("", WeightNames.of("model", Optional.empty()), Format.SAFETENSORS);
    return new Planner(PlanOptions.DEFAULTS.withType(new TargetType.Keep()))
        .plan(
            ResultModel.of(checkpoint.files(), checkpoint.tensors(), checkpoint.aliases(), names));
  }

  /**
   * Reads.
   *
   * @param description what the user sees in Spark's own pages
   * @param found takes what each chunk tells of each tensor, by its name
   */
  public void run(
      String description, ConversionPlan plan, BiConsumer<String, ChunkResult.TensorShare> found) {
    Shared<Stores> shared = stores;
    Measuring wanted = measuring;
    Counter bytes = cluster.counter(Counter.BYTES_READ);
    Shared<ConversionPlan.Work> work = cluster.share(plan.work());
    try {
      cluster
          .tasks()
          .run(
              description,
              plan.chunks(PartRule.FREE),
              SparkTasks.Amounts.bytes(Chunk::length),
              chunk -> {
                ChunkResult made =
                    new ChunkTask(
                            shared.value(),
                            work.value(),
                            chunk,
                            List.of(),
                            ReadLimit.NONE,
                            wanted,
                            SparkTasks.attempt())
                        .tryOut(SparkTasks.meter());
                bytes.add(made.reads().bytes());
                return made;
              },
              result ->
                  result
                      .tensors()
                      .forEach(share -> found.accept(name(plan, result, share), share)));
    } finally {
      work.close();
    }
  }

  private static String name(
      ConversionPlan plan, ChunkResult result, ChunkResult.TensorShare share) {
    Segment segment = plan.files().get(result.chunk().file()).segments().get(share.segment());
    return ((Segment.OfTensor) segment).spec().name();
  }
}
