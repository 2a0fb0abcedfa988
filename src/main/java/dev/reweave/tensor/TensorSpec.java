package dev.reweave.tensor;

import java.io.Serializable;

/**
 * What a reader of a model knows of one tensor.
 *
 * @param name as in the state dict, such as {@code model.layers.0.mlp.up_proj.weight}
 * @param dtype type of its elements
 * @param shape lengths of its dimensions in elements, outermost first
 */
public record TensorSpec(String name, DType dtype, Shape shape) implements Serializable {
  /**
   * Checks the size, as the reference implementation does.
   *
   * @throws IllegalArgumentException if it is too big, or its elements end within a byte
   */
  public TensorSpec {
    if (Long.MAX_VALUE / (dtype.isPacked() ? dtype.bits() : dtype.bytes()) < shape.elements()) {
      throw new IllegalArgumentException("tensor " + name + " of shape " + shape + " overflows");
    }
    if (dtype.isPacked() && shape.elements() * dtype.bits() % Byte.SIZE != 0) {
      throw new IllegalArgumentException(
          "tensor " + name + " of shape " + shape + " ends within a byte");
    }
  }

  /**
   * A tensor with the shape that torch gives it, which counts two F4 as one element: as {@code
   * safetensors.torch.save_file}, which doubles the last dimension.
   */
  public static TensorSpec ofTorch(String name, DType dtype, Shape shape) {
    if (dtype != DType.F4) {
      return new TensorSpec(name, dtype, shape);
    }
    long[] dims = shape.rank() == 0 ? new long[] {1} : shape.dims();
    dims[dims.length - 1] = Math.multiplyExact(dims[dims.length - 1], 2);
    return new TensorSpec(name, dtype, Shape.of(dims));
  }

  /** The shape that torch gives it; see {@link #ofTorch}. */
  public Shape torchShape() {
    if (dtype != DType.F4) {
      return shape;
    }
    long[] dims = shape.dims();
    dims[dims.length - 1] /= 2;
    return Shape.of(dims);
  }

  /** Number of elements. */
  public long elements() {
    return shape.elements();
  }

  /** Number of {@link DType units}, which layouts count. */
  public long units() {
    return dtype.isPacked() ? bytes() : shape.elements();
  }

  /** Size of the elements in bytes. */
  public long bytes() {
    return dtype.isPacked()
        ? shape.elements() * dtype.bits() / Byte.SIZE
        : shape.elements() * dtype.bytes();
  }
}
