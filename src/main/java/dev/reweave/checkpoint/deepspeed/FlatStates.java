package dev.reweave.checkpoint.deepspeed;

import dev.reweave.format.pytorch.StoredValue;
import dev.reweave.format.pytorch.TorchFile;
import dev.reweave.format.pytorch.TorchValue;
import dev.reweave.tensor.FlatBuffer;
import dev.reweave.tensor.StoredLayout;
import java.io.IOException;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * What the optimizer of one rank keeps of each flat partition beside its masters: the {@code state}
 * of the optimizer that ZeRO wraps.
 *
 * @param tensors by partition, those that have an element for each of the masters, by key
 * @param values by partition, single numbers, by key: the count of steps
 * @param others keys of tensors that have another number of elements, such as a momentum that Muon
 *     keeps of whole parameters
 */
record FlatStates(
    List<Map<String, FlatBuffer.StorageRun>> tensors,
    List<Map<String, StoredValue>> values,
    Set<String> others)
    implements Serializable {
  private static final String STATE = "state";
  private static final String PADDINGS = "group_paddings";

  FlatStates {
    tensors = List.copyOf(tensors);
    values = List.copyOf(values);
    others = Set.copyOf(others);
  }

  /**
   * Reads them.
   *
   * @param zero the {@code optimizer_state_dict} of the file
   * @param optimizer the state dict of the optimizer in it
   * @param flat the masters of each partition
   */
  static FlatStates read(
      TorchFile file, TorchValue zero, TorchValue optimizer, List<FlatBuffer.StorageRun> flat)
      throws IOException {
    Optional<TorchValue> state = optimizer.find(STATE);
    List<TorchValue> paddings = zero.find(PADDINGS).map(TorchValue::items).orElse(List.of());
    List<Map<String, FlatBuffer.StorageRun>> tensors = new ArrayList<>();
    List<Map<String, StoredValue>> values = new ArrayList<>();
    Set<String> others = new LinkedHashSet<>();
    for (int p = 0; p < flat.size(); p++) {
      Map<String, FlatBuffer.StorageRun> ofPartition = new LinkedHashMap<>();
      Map<String, StoredValue> numbers = new LinkedHashMap<>();
      String number = Integer.toString(p);
      Optional<TorchValue> entries = state.flatMap(s -> s.find(number));
      long padding = p < paddings.size() ? paddings.get(p).integer() : 0;
      if (entries.isPresent()) {
        for (Map.Entry<String, TorchValue> entry : entries.get().entries()) {
          TorchValue value = entry.getValue();
          if (isNumber(value)) {
            numbers.put(entry.getKey(), StoredValue.of(file, value));
          } else if (value.isTensor()) {
            Optional<FlatBuffer.StorageRun> run =
                partition(file, value, flat.get(p).elements(), padding);
            if (run.isPresent()) {
              ofPartition.put(entry.getKey(), run.get());
            } else {
              requireOther(entry.getKey(), value, flat.get(p).elements());
              others.add(entry.getKey());
            }
          }
        }
      }
      tensors.add(ofPartition);
      values.add(numbers);
    }
    return new FlatStates(tensors, values, others);
  }

  private static boolean isNumber(TorchValue value) {
    return value.isReal() || (value.isTensor() && value.tensor().shape().rank() == 0);
  }

  /**
   * ZeRO-1 and 2 cut the padding of a group off the masters when they save, and off nothing else;
   * if there is more padding than the partition has elements, not all of it.
   */
  private static Optional<FlatBuffer.StorageRun> partition(
      TorchFile file, TorchValue value, long elements, long padding) throws IOException {
    StoredLayout layout = file.layout(value.tensor());
    long more = layout.elements() - elements;
    if (!layout.isContiguous() || more < 0 || more > padding) {
      return Optional.empty();
    }
    FlatBuffer.StorageRun all = layout.piece();
    return Optional.of(new FlatBuffer.StorageRun(all.storage(), all.offset(), elements));
  }

  /** What Adam keeps has an element for each of the masters. */
  private static void requireOther(String key, TorchValue value, long elements) {
    if (key.equals("exp_avg") || key.equals("exp_avg_sq")) {
      throw ResumeFailures.statesDoNotFit(key, value.tensor().elements(), elements, value.place());
    }
  }
}
