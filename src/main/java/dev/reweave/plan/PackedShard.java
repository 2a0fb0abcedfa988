package dev.reweave.plan;

import dev.reweave.tensor.TensorSpec;
import java.io.Serializable;
import java.util.List;

/**
 * The tensors that go into one shard.
 *
 * @param fileName such as {@code model-00001-of-00002.safetensors}
 * @param tensors at least one, in the order of the model; a shard stores them in another order
 */
public record PackedShard(String fileName, List<TensorSpec> tensors) implements Serializable {
  public PackedShard {
    tensors = List.copyOf(tensors);
    if (tensors.isEmpty()) {
      throw new IllegalArgumentException("no tensors in " + fileName);
    }
  }

  /** Size of the tensors in bytes, without the header. */
  public long tensorBytes() {
    return tensors.stream().mapToLong(TensorSpec::bytes).sum();
  }
}
