package dev.reweave.checkpoint.dcp;

import dev.reweave.tensor.DType;
import dev.reweave.tensor.Shape;
import java.io.Serializable;
import java.util.Arrays;

/**
 * A torch.save stream with a block of a tensor, in a file among others.
 *
 * @param name of the tensor and where in it the block starts, for messages
 * @param sizes lengths of the block
 * @param start first byte in the file
 * @param length in bytes
 */
record StoredChunk(String name, DType dtype, Shape sizes, long start, long length)
    implements Serializable {
  /** Position behind the last byte. */
  long end() {
    return start + length;
  }

  /** Whether a stored shape is that of the block: Megatron-Core puts dimensions of 1 before it. */
  boolean hasSizes(Shape stored) {
    return withoutOnes(stored).equals(withoutOnes(sizes));
  }

  private static Shape withoutOnes(Shape shape) {
    return Shape.of(Arrays.stream(shape.dims()).filter(dim -> dim != 1).toArray());
  }
}
