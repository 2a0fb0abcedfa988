package dev.reweave.target.base;

import dev.reweave.tensor.Shape;
import dev.reweave.tensor.TensorSpec;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;

/**
 * How the tensors of a result differ from those of a base.
 *
 * @param result all tensors of the result, by name
 * @param base all tensors of the base, by name
 * @param missing tensors of the base that the result lacks
 * @param unexpected tensors of the result that the base lacks
 * @param reshaped tensors of other shapes
 */
record Difference(
    SortedMap<String, TensorSpec> result,
    SortedMap<String, TensorSpec> base,
    List<TensorSpec> missing,
    List<TensorSpec> unexpected,
    List<Pair> reshaped) {

  /** One tensor's shape in both. */
  record Pair(String name, Shape result, Shape base) {
    /** Whether the two differ in this dimension alone. */
    boolean differsInDim(int dim) {
      if (result.rank() != base.rank() || dim >= base.rank()) {
        return false;
      }
      long[] same = result.dims();
      same[dim] = base.dim(dim);
      return Shape.of(same).equals(base);
    }
  }

  Difference {
    missing = List.copyOf(missing);
    unexpected = List.copyOf(unexpected);
    reshaped = List.copyOf(reshaped);
  }

  boolean isNone() {
    return missing.isEmpty() && unexpected.isEmpty() && reshaped.isEmpty();
  }

  Difference withoutMissing() {
    return new Difference(result, base, List.of(), unexpected, reshaped);
  }

  String text() {
    List<String> parts = new ArrayList<>();
    if (!missing.isEmpty()) {
      parts.add(
          "%d of its %d tensors are missing (%s)"
              .formatted(missing.size(), base.size(), names(missing)));
    }
    if (!unexpected.isEmpty()) {
      parts.add(
          "%d of %d are not in it (%s)"
              .formatted(unexpected.size(), result.size(), names(unexpected)));
    }
    if (!reshaped.isEmpty()) {
      List<String> pairs =
          reshaped.stream()
              .map(p -> "%s %s for %s".formatted(Shortened.name(p.name()), p.result(), p.base()))
              .toList();
      parts.add("%d have other shapes (%s)".formatted(reshaped.size(), Shortened.list(pairs)));
    }
    return String.join(", ", parts);
  }

  private static String names(List<TensorSpec> specs) {
    return Shortened.list(specs.stream().map(s -> Shortened.name(s.name())).toList());
  }
}
