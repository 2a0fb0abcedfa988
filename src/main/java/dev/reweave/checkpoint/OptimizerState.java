package dev.reweave.checkpoint;

import dev.reweave.format.pytorch.PickledValue;
import dev.reweave.format.pytorch.StoredValue;
import dev.reweave.tensor.NamedTensor;
import dev.reweave.tensor.StorageRef;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What a training run goes on from, beside the fp32 masters of its parameters.
 *
 * @param parameters those that are trained, in the order of the checkpoint's tensors
 * @param common what is the same for all of them: hyperparameters, scales of the loss
 * @param whole files that come along as they are: they hold schedulers, counters and what the
 *     trainer itself keeps
 */
public record OptimizerState(
    List<Parameter> parameters, StoredValue common, List<WholeFile> whole) {
  /**
   * A file that comes along as it is.
   *
   * @param file its index in the checkpoint's files
   * @param storages in it, whose checksums it states
   */
  public record WholeFile(int file, List<StorageRef> storages) {
    public WholeFile {
      storages = List.copyOf(storages);
    }
  }

  /**
   * A trained parameter.
   *
   * @param master its fp32 master
   * @param states what the optimizer keeps of it, in its shape, by key: {@code exp_avg}
   * @param step how many steps the optimizer has done; empty where it does not count them
   * @param cut how tensor-parallel ranks share it, as DeepSpeed says it beside the tensor
   */
  public record Parameter(
      NamedTensor master,
      Map<String, NamedTensor> states,
      Optional<StoredValue> step,
      Map<String, PickledValue> cut) {
    public Parameter {
      states = new LinkedHashMap<>(states);
      cut = new LinkedHashMap<>(cut);
    }
  }

  public OptimizerState {
    parameters = List.copyOf(parameters);
    whole = List.copyOf(whole);
  }
}
