package dev.reweave.look.report;

import dev.reweave.tensor.Deviation;
import java.util.Optional;

/**
 * What makes two tensors of one shape differ.
 *
 * @param tolerance how far numbers may be apart, whatever their types and bits; empty if all bits
 *     must be the same
 * @param types whether a type that only one side has counts
 */
public record DiffCriterion(Optional<Double> tolerance, Types types) {
  /** All bits, and the types. */
  public static final DiffCriterion STRICT = new DiffCriterion(Optional.empty(), Types.COUNT);

  /** What another type means. */
  public enum Types {
    /** Tensors of two types differ. */
    COUNT,
    /** Tensors are the same if they are after a cast. */
    IGNORED
  }

  /** Checks that the tolerance is one. */
  public DiffCriterion {
    if (tolerance.filter(t -> !(t >= 0) || t.isInfinite()).isPresent()) {
      throw new IllegalArgumentException(
          "--tolerance " + tolerance.get() + " is no number from 0 on");
    }
  }

  boolean differ(DiffReport.Likeness likeness, Deviation deviation) {
    if (tolerance.isPresent() && likeness.isCompared()) {
      return deviation.broken().all() > 0 || deviation.absolute() > tolerance.get();
    }
    return switch (likeness) {
      case IDENTICAL -> false;
      case SAME_IN_OTHER_TYPE, SAME_AFTER_CAST -> types == Types.COUNT;
      case SAME_VALUES, OTHER_VALUES, OTHER_SHAPE, NOT_COMPARABLE -> true;
    };
  }
}
