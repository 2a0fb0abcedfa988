package dev.reweave.checkpoint.deepspeed;

import dev.reweave.format.pytorch.TorchFile;
import dev.reweave.format.pytorch.TorchValue;
import dev.reweave.tensor.FlatBuffer;
import dev.reweave.tensor.Shape;
import dev.reweave.tensor.StoredLayout;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What a conversion needs of one ZeRO {@code *_optim_states.pt}: where the rank's fp32 master
 * partitions lie. Keys as {@code DeepSpeedZeroOptimizer.state_dict}, {@code BF16_Optimizer} and
 * {@code DeepSpeedZeroOptimizer_Stage3} write them.
 *
 * @param stage ZeRO stage 1, 2 or 3
 * @param partitionCounts ranks that share each group; empty if the file does not say
 * @param flat the rank's flat partitions: one per parameter group (ZeRO-1 and 2) or sub-group
 *     (ZeRO-3)
 * @param ids what DeepSpeed since 0.13 calls each sub-group of ZeRO-3, made of the numbers of its
 *     parameters, such as {@code 0_7}; empty where it has no name
 * @param shapes of the parameters, where DeepSpeed before 0.6 kept them; see {@link OldShapes}
 * @param account what the file itself says of where parameters lie in the flat groups of ZeRO-1 and
 *     2
 * @param kept what the optimizer keeps beside the masters; nothing where it is not wanted
 */
record OptimizerStates(
    int stage,
    List<Long> partitionCounts,
    List<FlatBuffer.StorageRun> flat,
    List<String> ids,
    List<Map<String, Shape>> shapes,
    FlatAccount account,
    OptimizerContents kept)
    implements RankFacts {
  private static final String FLAT_BY_GROUP = "single_partition_of_fp32_groups";
  private static final String FLAT_BY_SUB_GROUP = "fp32_flat_groups";

  /** Which optimizer states files also give what training goes on from. */
  enum Wanted {
    MASTERS,
    ALL
  }

  static OptimizerStates read(TorchFile file, Wanted wanted) throws IOException {
    TorchValue root = file.root();
    TorchValue state =
        root.find("optimizer_state_dict")
            .orElseThrow(() -> PartitionFailures.noOptimizerState(root.place()));
    Optional<TorchValue> byGroup = state.find(FLAT_BY_GROUP);
    Optional<TorchValue> bySubGroup = state.find(FLAT_BY_SUB_GROUP);
    // BF16_Optimizer keeps its partitions as ZeRO-1 does but writes no zero_stage.
    long stage =
        state.find("zero_stage").map(TorchValue::integer).orElse(bySubGroup.isPresent() ? 3L : 1L);
    Optional<TorchValue> flat = stage == 3 ? bySubGroup : byGroup;
    if (stage < 1 || stage > 3 || flat.isEmpty()) {
      throw PartitionFailures.noMasters(stage, state.place());
    }
    List<FlatBuffer.StorageRun> pieces = new ArrayList<>();
    List<String> ids = new ArrayList<>();
    for (TorchValue item : flat.get().items()) {
      StoredLayout layout = file.layout(item.tensor());
      if (!layout.isContiguous()) {
        throw PartitionFailures.withGaps(item.place());
      }
      pieces.add(layout.piece());
      ids.add(item.tensor().labels().getOrDefault("ds_id", ""));
    }
    return new OptimizerStates(
        (int) stage,
        state.find("partition_count").map(OptimizerStates::counts).orElse(List.of()),
        pieces,
        ids,
        ModelPickle.groups(root),
        stage == 3 ? FlatAccount.NONE : FlatAccount.of(state),
        wanted == Wanted.ALL
            ? OptimizerContents.read(file, state, (int) stage, pieces)
            : OptimizerContents.NONE);
  }

  /** The same with other partitions. */
  OptimizerStates withFlat(List<FlatBuffer.StorageRun> others) {
    return new OptimizerStates(stage, partitionCounts, others, ids, shapes, account, kept);
  }

  /** The same without what all ranks have in common. */
  OptimizerStates ofFurtherRank() {
    return new OptimizerStates(
        stage, partitionCounts, flat, ids, shapes, account.ofFurtherRank(), kept.ofFurtherRank());
  }

  /** One number, or one per parameter group. */
  private static List<Long> counts(TorchValue value) {
    return value.isSequence()
        ? value.items().stream().map(TorchValue::integer).toList()
        : List.of(value.integer());
  }
}
