package dev.reweave.tensor;

import java.io.Serializable;
import java.math.BigDecimal;

/**
 * A sum of doubles that is never rounded, so that it is the same whatever the order in which, and
 * the groups by which, they are added.
 *
 * @param sum of all that were finite
 * @param overflowed whether one was not: the sum is then too large to be told
 */
record ExactSum(BigDecimal sum, boolean overflowed) implements Serializable {
  static final ExactSum ZERO = new ExactSum(BigDecimal.ZERO, false);

  ExactSum {
    // Equal sums are equal, whatever they are made of.
    sum = sum.stripTrailingZeros();
  }

  ExactSum plus(ExactSum other) {
    return new ExactSum(sum.add(other.sum), overflowed || other.overflowed);
  }

  /** The nearest double; infinite if the sum overflowed. */
  double value() {
    return overflowed ? Double.POSITIVE_INFINITY : sum.doubleValue();
  }
}
