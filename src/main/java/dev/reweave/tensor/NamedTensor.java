package dev.reweave.tensor;

import java.io.Serializable;

/**
 * A tensor of a checkpoint and where its elements lie.
 *
 * @param spec its name, shape and the type in which it is stored
 */
public record NamedTensor(TensorSpec spec, Layout layout) implements Serializable {
  public NamedTensor {
    if (spec.elements() != layout.elements() || spec.dtype() != layout.dtype()) {
      throw new IllegalArgumentException(
          spec + " has a layout of " + layout.elements() + " elements of " + layout.dtype());
    }
  }

  /** The tensor's name. */
  public String name() {
    return spec.name();
  }
}
