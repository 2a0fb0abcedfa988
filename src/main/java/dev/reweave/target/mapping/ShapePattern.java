package dev.reweave.target.mapping;

import dev.reweave.tensor.Shape;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * Which shapes a rule is about.
 *
 * @param dims each length, or nothing where any will do; absent if all shapes match
 */
record ShapePattern(Optional<List<OptionalLong>> dims) {

  /** All shapes. */
  static final ShapePattern ANY = new ShapePattern(Optional.empty());

  boolean matches(Shape shape) {
    if (dims.isEmpty()) {
      return true;
    }
    List<OptionalLong> wanted = dims.get();
    if (wanted.size() != shape.rank()) {
      return false;
    }
    for (int i = 0; i < wanted.size(); i++) {
      if (wanted.get(i).isPresent() && wanted.get(i).getAsLong() != shape.dim(i)) {
        return false;
      }
    }
    return true;
  }
}
