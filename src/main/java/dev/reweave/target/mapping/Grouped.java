package dev.reweave.target.mapping;

import dev.reweave.tensor.NamedTensor;
import dev.reweave.tensor.Shape;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * A tensor one dimension of which is groups of equal parts.
 *
 * @param groups number of groups, at least 1
 * @param parts of each group, at least 1; the dimension is as long as so many parts or a multiple
 */
record Grouped(NamedTensor tensor, int dim, long groups, long parts) {

  /**
   * Whether a dimension is so many groups of parts of these relative lengths.
   *
   * @param unit the length that size 1 stands for; empty if any will do
   */
  static boolean fits(Shape shape, int dim, long groups, List<Long> sizes, OptionalLong unit) {
    if (dim >= shape.rank()) {
      return false;
    }
    try {
      long parts = sizes.stream().reduce(0L, Math::addExact);
      long all = Math.multiplyExact(groups, parts);
      return unit.isPresent()
          ? shape.dim(dim) == Math.multiplyExact(all, unit.getAsLong())
          : shape.dim(dim) % all == 0;
    } catch (ArithmeticException e) {
      return false;
    }
  }

  /**
   * What a length is made of, whole; nothing if it is not made of that.
   *
   * @param lengths factors, of which one can be left out and is what remains
   */
  static Optional<List<Long>> lengths(long length, List<OptionalLong> lengths) {
    long product = 1;
    for (OptionalLong known : lengths) {
      long factor = known.orElse(1);
      if (factor < 1 || factor > length / product) {
        return Optional.empty();
      }
      product *= factor;
    }
    boolean open = lengths.stream().anyMatch(OptionalLong::isEmpty);
    if (length % product != 0 || (!open && length != product)) {
      return Optional.empty();
    }
    long rest = length / product;
    return Optional.of(lengths.stream().map(known -> known.orElse(rest)).toList());
  }

  /**
   * Some parts of each group, one group after another.
   *
   * @param name of the result
   */
  NamedTensor taken(String name, List<Action.Range> ranges) {
    long length = tensor.spec().shape().dim(dim);
    long unit = length / groups / parts;
    NamedTensor seen = groups == 1 ? tensor : tensor.withShape(with(groups, length / groups));
    int within = groups == 1 ? dim : dim + 1;
    List<NamedTensor> pieces = new ArrayList<>();
    for (Action.Range range : ranges) {
      pieces.add(seen.narrowed(name, within, range.from() * unit, range.count() * unit));
    }
    NamedTensor joined = NamedTensor.joined(name, within, pieces);
    if (groups == 1) {
      return joined;
    }
    long[] dims = tensor.spec().shape().dims();
    dims[dim] = groups * joined.spec().shape().dim(within);
    return joined.withShape(Shape.of(dims));
  }

  /**
   * The way back: the first groups of all parts follow each other, then the second ones.
   *
   * @param name of the whole
   * @param groups of each part, which its dimension is a multiple of
   */
  static NamedTensor joined(String name, int dim, long groups, List<NamedTensor> parts) {
    List<NamedTensor> seen =
        parts.stream()
            .map(
                part -> {
                  Grouped grouped = new Grouped(part, dim, groups, 1);
                  return part.withShape(
                      grouped.with(groups, part.spec().shape().dim(dim) / groups));
                })
            .toList();
    NamedTensor joined = NamedTensor.joined(name, dim + 1, seen);
    long[] dims = parts.get(0).spec().shape().dims();
    dims[dim] = groups * joined.spec().shape().dim(dim + 1);
    return joined.withShape(Shape.of(dims));
  }

  /** The tensor's shape with two lengths in the place of the dimension's. */
  private Shape with(long outer, long inner) {
    List<Long> dims = new ArrayList<>();
    for (int i = 0; i < tensor.spec().shape().rank(); i++) {
      if (i == dim) {
        dims.add(outer);
        dims.add(inner);
      } else {
        dims.add(tensor.spec().shape().dim(i));
      }
    }
    return Shape.of(dims);
  }
}
