package dev.reweave.format.pytorch;

import dev.reweave.tensor.Shape;
import java.util.ArrayList;
import java.util.List;

/** Sequences of integers that are the shape or strides of a tensor. */
final class Dimensions {
  /** More than any torch tensor has; keeps a hostile pickle from copying one long tuple often. */
  private static final int MAX_RANK = 64;

  private Dimensions() {}

  /** Whether a value is a sequence of integers, short enough to be a shape. */
  static boolean areIn(Object value) {
    if (!(value instanceof PickleSequence sequence)
        || sequence.kind() == PickleSequence.Kind.SET
        || sequence.size() > MAX_RANK) {
      return false;
    }
    for (int i = 0; i < sequence.size(); i++) {
      if (!(sequence.item(i) instanceof Long)) {
        return false;
      }
    }
    return true;
  }

  /**
   * The integers in order.
   *
   * @throws IllegalArgumentException unless {@link #areIn}
   */
  static List<Long> list(Object value) {
    if (!areIn(value)) {
      throw new IllegalArgumentException("the dimensions of a tensor are no integers");
    }
    PickleSequence sequence = (PickleSequence) value;
    List<Long> dimensions = new ArrayList<>(sequence.size());
    for (int i = 0; i < sequence.size(); i++) {
      dimensions.add((Long) sequence.item(i));
    }
    return dimensions;
  }

  /**
   * The integers as a shape.
   *
   * @throws IllegalArgumentException unless {@link #areIn}, none is negative and the product fits
   */
  static Shape shape(Object value) {
    return Shape.of(list(value));
  }
}
