package dev.reweave.plan.prepare;

import dev.reweave.checkpoint.AdapterChoice;
import dev.reweave.checkpoint.Checkpoint;
import dev.reweave.checkpoint.ReadOptions;
import dev.reweave.common.Option;
import dev.reweave.plan.PlanOptions;
import dev.reweave.plan.Sharding;
import dev.reweave.plan.TargetType;
import dev.reweave.plan.UniversalFiles;
import dev.reweave.storage.Stores;
import dev.reweave.target.mapping.Mapped;
import dev.reweave.tensor.DType;
import java.util.List;
import java.util.Optional;

/**
 * From a checkpoint of DeepSpeed to a plan of its universal form. That has the names, shapes and
 * types of the training, and nothing of a base.
 */
public final class UniversalPlanner {
  private UniversalPlanner() {}

  /**
   * What is read of a checkpoint for its universal form.
   *
   * @throws dev.reweave.common.ReweaveException if something is asked for that it cannot have
   */
  public static ReadOptions reading(
      ReadOptions reading, PlanOptions planning, Optional<BaseChoice> base) {
    refuse(base.isPresent(), BaseChoice.BASE, "it has nothing of a base");
    refuse(
        !planning.dtype().equals(new TargetType.Fixed(DType.F32)),
        PlanOptions.DTYPE,
        "its types are those of the training");
    refuse(planning.sharding() != Sharding.BY_SIZE, PlanOptions.SHARDS, "it has no shards");
    refuse(
        planning.maxShardBytes() != PlanOptions.DEFAULTS.maxShardBytes(),
        PlanOptions.MAX_SHARD_SIZE,
        "it has no shards");
    refuse(
        planning.weightsName().isPresent(),
        PlanOptions.WEIGHTS_NAME,
        "its files are called after parameters");
    refuse(planning.only().isPresent(), PlanOptions.ONLY, "a run goes on from all of it");
    refuse(reading.averaged().isPresent(), ReadOptions.AVERAGE_TAGS, "a run goes on from one step");
    AdapterChoice adapter = reading.adapter();
    refuse(
        adapter.isMade(),
        adapter.isMerged() ? AdapterChoice.MERGE_ADAPTER : AdapterChoice.PART,
        "a run goes on from all of it");
    return reading.withOptimizer();
  }

  private static void refuse(boolean asked, Option<?> option, String why) {
    if (asked) {
      throw PrepareFailures.notForUniversal(option.name(), why);
    }
  }

  /**
   * Plans.
   *
   * @param checkpoint read as {@link #reading} says
   * @throws dev.reweave.common.ReweaveException if it is none of DeepSpeed, or the mapping has
   *     other names
   */
  public static PlannedModel plan(
      Stores stores, Checkpoint checkpoint, MappingChoice mapping, PlanOptions planning) {
    if (checkpoint.optimizer().isEmpty()) {
      throw PrepareFailures.nothingToGoOnFrom(
          checkpoint.source().framework(), checkpoint.files().get(0).uri());
    }
    Renaming renaming =
        Renaming.of(
            stores, checkpoint, mapping.equals(MappingChoice.AUTO) ? MappingChoice.NONE : mapping);
    for (Mapped.Row row : renaming.rows()) {
      refuse(
          !row.source().equals(row.target()),
          MappingChoice.MAPPING,
          "its names are the training's");
    }
    return new PlannedModel(
        checkpoint,
        renaming,
        Optional.empty(),
        UniversalFiles.plan(checkpoint, planning),
        renaming.notes(),
        List.of());
  }
}
