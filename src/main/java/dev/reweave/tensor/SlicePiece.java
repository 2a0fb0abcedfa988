package dev.reweave.tensor;

import java.io.Serializable;
import java.util.Set;

/**
 * Elements that lie both in a whole tensor and in a rank's slice of it, in the same arrangement.
 *
 * @param whole where they are in the whole, which is flattened
 * @param slice where they are in the slice, which is flattened
 * @param scale the slice has them multiplied by it
 * @param holders ranks that have them, from 0
 */
public record SlicePiece(Strided whole, Strided slice, double scale, Set<Integer> holders)
    implements Serializable {
  /**
   * Checks the numbers.
   *
   * @throws IllegalArgumentException if the two are of different shapes, or no scale can be undone
   */
  public SlicePiece {
    holders = Set.copyOf(holders);
    if (!whole.shape().equals(slice.shape())) {
      throw new IllegalArgumentException(
          "a piece of shape " + whole.shape() + " and " + slice.shape());
    }
    Quotients.requireDivisor(scale);
  }

  boolean isEmpty() {
    return whole.elements() == 0;
  }

  /** Whether it is all of a tensor, in both in row-major order. */
  boolean isWhole(long elements) {
    return isRun(0, elements);
  }

  /** Whether it is so many elements one after another from one on, and the first of the slice. */
  boolean isRun(long from, long length) {
    return whole.offset() == from
        && whole.elements() == length
        && whole.isRun()
        && slice.isContiguous();
  }

  /** The same piece with its dimensions in the order in which they lie in the whole. */
  SlicePiece ordered() {
    return new SlicePiece(
        whole.ordered(whole.order()), slice.ordered(whole.order()), scale, holders);
  }
}
