package dev.reweave.plan;

import dev.reweave.tensor.Shape;
import dev.reweave.tensor.TensorSpec;
import java.util.ArrayList;
import java.util.List;

/**
 * Cuts a tensor into boxes whose elements follow each other in row-major order: rows of the first
 * dimension, or of a further one where a single row would be big.
 */
final class TensorBoxes {
  private final Shape shape;
  private final int bytes;
  private final int deepest;

  /**
   * @param mostRow bytes of a row that is not cut any further
   */
  TensorBoxes(TensorSpec tensor, long mostRow) {
    this.shape = tensor.torchShape();
    this.bytes = tensor.dtype().bytes();
    int dim = 0;
    while (dim < shape.rank() - 1 && below(dim) > mostRow / bytes) {
      dim++;
    }
    this.deepest = dim;
  }

  /**
   * The box with the most elements from one on that has no more bytes than this.
   *
   * @param from the element, the first of all or the one behind a box
   * @return how many elements it has; 0 if there is no room for any
   */
  long take(long from, long room) {
    if (shape.rank() == 0) {
      return room >= bytes ? 1 : 0;
    }
    for (int dim = 0; dim <= deepest; dim++) {
      long row = below(dim);
      if (from % row == 0) {
        long rows = Math.min(shape.dim(dim) - from / row % shape.dim(dim), room / bytes / row);
        if (rows > 0) {
          return rows * row;
        }
      }
    }
    return 0;
  }

  /** Elements of one row of a dimension. */
  private long below(int dim) {
    return below(shape, dim);
  }

  private static long below(Shape shape, int dim) {
    long elements = 1;
    for (int i = dim + 1; i < shape.rank(); i++) {
      elements *= shape.dim(i);
    }
    return elements;
  }

  /**
   * A box of a tensor.
   *
   * @param offsets of its first element in each dimension
   * @param sizes lengths of its dimensions
   */
  record Box(List<Long> offsets, Shape sizes) {
    /** The box of elements {@code [from, to)}, which {@link #take} gave, or of all. */
    static Box of(Shape shape, long from, long to) {
      List<Long> offsets = new ArrayList<>();
      List<Long> sizes = new ArrayList<>();
      long elements = to - from;
      for (int dim = 0; dim < shape.rank(); dim++) {
        long row = below(shape, dim);
        if (shape.elements() == 0) {
          offsets.add(0L);
          sizes.add(shape.dim(dim));
        } else {
          offsets.add(from / row % shape.dim(dim));
          sizes.add(elements < row ? 1 : Math.min(shape.dim(dim), elements / row));
        }
      }
      return new Box(offsets, Shape.of(sizes));
    }
  }
}
