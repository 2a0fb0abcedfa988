package dev.reweave.checkpoint.fsdp;

import dev.reweave.checkpoint.LeftTensors;
import java.io.Serializable;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What one rank's file holds.
 *
 * @param tensors by name, in the order of the state dict
 * @param owners by name, the ranks that a tensor is cut among, where the file tells them
 * @param others entries that are no tensors
 * @param left tensors beside the model's
 * @param world how many ranks there are at least, as the file itself tells; 0 if it does not
 * @param meshes those that tensors are on, as people read them
 */
record RankContent(
    Map<String, TensorSlice> tensors,
    Map<String, List<Long>> owners,
    int others,
    List<LeftTensors> left,
    long world,
    Set<String> meshes)
    implements Serializable {
  private static final long serialVersionUID = 1L;

  /** Whether nothing in it is one rank's part of a tensor. */
  boolean isWhole() {
    return tensors.values().stream().allMatch(t -> t.cut().isWhole());
  }
}
