package dev.reweave.plan;

import dev.reweave.tensor.TensorSpec;
import java.util.ArrayList;
import java.util.List;

/**
 * Splits a model into shards as {@code split_torch_state_dict_into_shards} of huggingface_hub does
 * ({@code huggingface_hub/serialization/_base.py}), so that both give the same files.
 */
public final class ShardPacker {
  private ShardPacker() {}

  /**
   * Fills shards in the order of the tensors. A tensor that is too big for any shard gets one of
   * its own, which comes before the shard that is being filled.
   *
   * @param tensorsInOrder of the model; names that share their bytes count each
   * @param maxShardBytes most bytes of tensors in a shard, headers not counted; greater than 0
   * @param names of the files
   * @return the shards by their numbers; none for no tensors
   */
  public static List<PackedShard> pack(
      List<TensorSpec> tensorsInOrder, long maxShardBytes, FileNames names) {
    if (maxShardBytes <= 0) {
      throw new IllegalArgumentException("shard size of " + maxShardBytes + " bytes");
    }
    List<List<TensorSpec>> shards = new ArrayList<>();
    List<TensorSpec> open = new ArrayList<>();
    long openBytes = 0;
    for (TensorSpec tensor : tensorsInOrder) {
      if (tensor.bytes() > maxShardBytes) {
        shards.add(List.of(tensor));
        continue;
      }
      if (tensor.bytes() > maxShardBytes - openBytes) {
        shards.add(open);
        open = new ArrayList<>();
        openBytes = 0;
      }
      open.add(tensor);
      openBytes += tensor.bytes();
    }
    if (!open.isEmpty()) {
      shards.add(open);
    }
    return named(shards, names);
  }

  private static List<PackedShard> named(List<List<TensorSpec>> shards, FileNames names) {
    int count = shards.size();
    List<PackedShard> named = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      named.add(new PackedShard(names.shard(i + 1, count), shards.get(i)));
    }
    return List.copyOf(named);
  }
}
