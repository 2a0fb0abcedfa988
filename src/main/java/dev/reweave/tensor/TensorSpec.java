package dev.reweave.tensor;

import java.io.Serializable;

/**
 * What a reader of a model knows of one tensor.
 *
 * @param name as in the state dict, such as {@code model.layers.0.mlp.up_proj.weight}
 * @param dtype type of its elements
 * @param shape lengths of its dimensions, outermost first
 */
public record TensorSpec(String name, DType dtype, Shape shape) implements Serializable {
  public TensorSpec {
    if (Long.MAX_VALUE / dtype.bytes() < shape.elements()) {
      throw new IllegalArgumentException("tensor " + name + " of shape " + shape + " overflows");
    }
  }

  /** Number of elements. */
  public long elements() {
    return shape.elements();
  }

  /** Size of the elements in bytes. */
  public long bytes() {
    return shape.elements() * dtype.bytes();
  }
}
