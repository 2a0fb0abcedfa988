package dev.reweave.tensor;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Elements of a flat sequence seen as a tensor, with the arguments of {@code torch.as_strided}:
 * element {@code i, j, …} is at {@code offset + i * strides[0] + j * strides[1] + …}.
 *
 * @param offset of the first element, at least 0
 * @param strides in elements, at least 0, one for each dimension
 */
public record Strided(Shape shape, long offset, List<Long> strides) implements Serializable {
  /**
   * Checks the numbers.
   *
   * @throws IllegalArgumentException if there are too many or too few, or they are negative or too
   *     large
   */
  public Strided {
    strides = List.copyOf(strides);
    if (strides.size() != shape.rank()) {
      throw new IllegalArgumentException("strides " + strides + " for shape " + shape);
    }
    if (offset < 0 || strides.stream().anyMatch(s -> s < 0)) {
      throw new IllegalArgumentException("offset " + offset + " and strides " + strides);
    }
    try {
      if (shape.elements() > 0) {
        last(shape, offset, strides);
      }
    } catch (ArithmeticException e) {
      throw new IllegalArgumentException("strides overflow: " + strides + " for " + shape, e);
    }
  }

  private static long last(Shape shape, long offset, List<Long> strides) {
    long last = offset;
    for (int d = 0; d < shape.rank(); d++) {
      last = Math.addExact(last, Math.multiplyExact(shape.dim(d) - 1, strides.get(d)));
    }
    return last;
  }

  /** All of a sequence in row-major order. */
  public static Strided contiguous(Shape shape) {
    return new Strided(
        shape,
        0,
        IntStream.range(0, shape.rank()).mapToObj(d -> shape.rowMajorStrides()[d]).toList());
  }

  /** Number of elements. */
  public long elements() {
    return shape.elements();
  }

  /** Requires that no element is behind the end of a sequence of this length. */
  void requireWithin(long length) {
    if (elements() > 0 && last(shape, offset, strides) >= length) {
      throw new IllegalArgumentException(this + " leaves " + length + " elements");
    }
  }

  /** Dimensions with more than one index, from the greatest stride to the least. */
  List<Integer> order() {
    return IntStream.range(0, shape.rank())
        .filter(d -> shape.dim(d) != 1)
        .boxed()
        .sorted(Comparator.comparing(strides::get).reversed())
        .toList();
  }

  /** The same elements with these dimensions alone, in this order; all others have one index. */
  Strided ordered(List<Integer> order) {
    return new Strided(
        Shape.of(order.stream().map(shape::dim).toList()),
        offset,
        order.stream().map(strides::get).toList());
  }

  /**
   * The same elements, of dimensions that are in {@link #order()}, with as few dimensions as can
   * be: those that follow each other without a gap are one.
   */
  Strided merged() {
    List<Long> sizes = new ArrayList<>();
    List<Long> steps = new ArrayList<>();
    for (int d = 0; d < shape.rank(); d++) {
      int last = sizes.size() - 1;
      if (last >= 0 && steps.get(last) == strides.get(d) * shape.dim(d)) {
        sizes.set(last, sizes.get(last) * shape.dim(d));
        steps.set(last, strides.get(d));
      } else {
        sizes.add(shape.dim(d));
        steps.add(strides.get(d));
      }
    }
    return new Strided(Shape.of(sizes), offset, steps);
  }

  /** Whether these are the first elements, one after another. */
  public boolean isContiguous() {
    return offset == 0 && isRun();
  }

  /** Whether these lie one after another. */
  boolean isRun() {
    long next = 1;
    for (int d = shape.rank() - 1; d >= 0; d--) {
      if (shape.dim(d) != 1 && strides.get(d) != next) {
        return false;
      }
      next *= shape.dim(d);
    }
    return true;
  }

  /** As in messages: {@code [2, 3] at 8 with strides [16, 1]}. */
  @Override
  public String toString() {
    return shape + " at " + offset + " with strides " + strides;
  }
}
