package dev.reweave.format.pytorch;

import dev.reweave.common.ReweaveException;
import dev.reweave.storage.InputFile;
import dev.reweave.tensor.StorageRef;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/**
 * How much more than its storages hold the tensors of one file may be together. Views may repeat
 * elements, so that a file of a few bytes can ask for petabytes; of honest files few do.
 */
final class ViewBudget {
  private static final long LEAST_BYTES = 1L << 30;
  private static final long TIMES_THE_FILE = 4;

  private final InputFile file;
  private final long most;
  private final Set<TorchTensor> seen = new HashSet<>();
  private final Map<String, Long> named = new HashMap<>();
  private long beyond;

  ViewBudget(InputFile file) {
    this.file = file;
    this.most = sum(LEAST_BYTES, Math.min(file.length(), Long.MAX_VALUE / 8) * TIMES_THE_FILE);
  }

  /**
   * Counts a tensor, unless the same view was counted before: names of tied weights cost nothing.
   *
   * @param storage that the tensor is a view of
   * @throws ReweaveException if it is too much
   */
  void spend(TorchTensor tensor, StorageRef storage) {
    if (!seen.add(tensor)) {
      return;
    }
    long before = named.getOrDefault(tensor.storageKey(), 0L);
    long after = sum(before, tensor.elements() * tensor.dtype().bytes());
    named.put(tensor.storageKey(), after);
    long more = Math.max(0, after - storage.bytes()) - Math.max(0, before - storage.bytes());
    beyond = sum(beyond, more);
    if (beyond > most) {
      throw TorchFileFailures.repeatedElements(tensor, beyond, file);
    }
  }

  private static long sum(long a, long b) {
    return a > Long.MAX_VALUE - b ? Long.MAX_VALUE : a + b;
  }
}
