package dev.reweave.checkpoint.deepspeed;

import dev.reweave.format.pytorch.PickledValue;
import dev.reweave.format.pytorch.StoredValue;
import dev.reweave.format.pytorch.TorchFile;
import dev.reweave.format.pytorch.TorchValue;
import dev.reweave.tensor.FlatBuffer;
import java.io.IOException;
import java.io.Serializable;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * What one ZeRO {@code *_optim_states.pt} holds beside the masters, for a run that goes on from it.
 *
 * @param states what the optimizer keeps of each partition
 * @param common what is the same for all parameters, as {@code ds_to_universal.py} puts it into
 *     {@code optimizer_state.pt}; nothing in what is kept of all ranks but the first
 */
record OptimizerContents(FlatStates states, StoredValue common) implements Serializable {
  private static final StoredValue NOTHING = StoredValue.of(PickledValue.none());

  /** Of a file of which it is not wanted. */
  static final OptimizerContents NONE =
      new OptimizerContents(new FlatStates(List.of(), List.of(), Set.of()), NOTHING);

  private static final String WRAPPED = "base_optimizer_state";
  private static final String WRAPPED_BY_STAGE_3 = "optimizer_state_dict";
  private static final String GROUPS = "param_groups";
  private static final String STATE = "state";

  /** The numbers of a group's parameters. */
  private static final String NUMBERS = "params";

  /** What is spread over ranks, and so in the files of the parameters. */
  private static final Set<String> SHARDED =
      Set.of(
          WRAPPED,
          WRAPPED_BY_STAGE_3,
          "param_slice_mappings",
          "single_partition_of_fp32_groups",
          "fp32_flat_groups");

  /**
   * Reads it.
   *
   * @param zero the {@code optimizer_state_dict} of the file
   * @param flat the masters of each partition
   */
  static OptimizerContents read(
      TorchFile file, TorchValue zero, int stage, List<FlatBuffer.StorageRun> flat)
      throws IOException {
    String key = stage == 3 ? WRAPPED_BY_STAGE_3 : WRAPPED;
    TorchValue wrapped =
        zero.find(key)
            .filter(w -> w.find(GROUPS).isPresent())
            .orElseThrow(() -> ResumeFailures.noHyperparameters(GROUPS, zero.place()));
    FlatStates states = FlatStates.read(file, zero, wrapped, flat);
    return new OptimizerContents(states, common(file, zero, wrapped, stage, states));
  }

  /** The same without what all ranks have in common. */
  OptimizerContents ofFurtherRank() {
    return new OptimizerContents(states, NOTHING);
  }

  /**
   * Under ZeRO-3, {@code load_hp_checkpoint_state_from_checkpoint_dir_stage3} takes the count of
   * steps and the hyperparameters of the first partition from the wrapped optimizer's dict.
   */
  private static StoredValue common(
      TorchFile file, TorchValue zero, TorchValue wrapped, int stage, FlatStates states)
      throws IOException {
    StoredValue.Dict dict = new StoredValue.Dict();
    for (Map.Entry<String, TorchValue> entry : zero.entries()) {
      if (!SHARDED.contains(entry.getKey())) {
        dict.put(entry.getKey(), StoredValue.of(file, entry.getValue()));
      }
    }
    StoredValue groups = StoredValue.of(file, wrapped.at(GROUPS));
    if (stage == 3) {
      StoredValue.Dict first = new StoredValue.Dict();
      states.values().stream().limit(1).forEach(numbers -> numbers.forEach(first::put));
      StoredValue.Dict state = new StoredValue.Dict().put(PickledValue.integer(0), first.value());
      StoredValue.Dict inner =
          new StoredValue.Dict().put(STATE, state.value()).put(GROUPS, shared(file, wrapped));
      dict.put(WRAPPED_BY_STAGE_3, inner.value());
    }
    dict.put(GROUPS, groups);
    return dict.value();
  }

  /**
   * The groups, the first of which has nothing but what is the same in all: DeepSpeed up to 0.19.8
   * gives what is in it to every group, and leaves what is not as the run itself sets it.
   */
  private static StoredValue shared(TorchFile file, TorchValue wrapped) throws IOException {
    List<TorchValue> groups = wrapped.at(GROUPS).items();
    StoredValue.Items all = new StoredValue.Items();
    for (int g = 0; g < groups.size(); g++) {
      StoredValue.Dict group = new StoredValue.Dict();
      for (Map.Entry<String, TorchValue> entry : groups.get(g).entries()) {
        if (g > 0 || isInAll(file, entry, groups)) {
          group.put(entry.getKey(), StoredValue.of(file, entry.getValue()));
        }
      }
      all.add(group.value());
    }
    return all.value();
  }

  private static boolean isInAll(
      TorchFile file, Map.Entry<String, TorchValue> entry, List<TorchValue> groups)
      throws IOException {
    StoredValue first = StoredValue.of(file, entry.getValue());
    for (TorchValue group : groups) {
      Optional<TorchValue> other =
          group.entries().stream()
              .filter(e -> e.getKey().equals(entry.getKey()))
              .map(Map.Entry::getValue)
              .findFirst();
      boolean isSame = other.isPresent() && first.isSameAs(StoredValue.of(file, other.get()));
      if (!isSame && !entry.getKey().equals(NUMBERS)) {
        return false;
      }
    }
    return true;
  }
}
