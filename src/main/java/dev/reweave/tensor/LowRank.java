package dev.reweave.tensor;

import java.io.Serializable;
import java.util.List;
import java.util.Objects;

/**
 * What an adapter adds to a tensor: a scale times the product of a high and a wide thin matrix. A
 * tensor can be several matrices, one after another, such as those of experts; each has a pair of
 * its own.
 */
public final class LowRank implements Serializable {
  /** Most that adapters are of: beyond, even a row of a thin matrix would take much memory. */
  public static final int MOST_RANK = 1 << 16;

  private static final long serialVersionUID = 1L;

  private final Layout left;
  private final Layout right;
  private final List<Layout> stored;
  private final long rows;
  private final long columns;
  private final int rank;
  private final double scale;

  /**
   * The lengths of one matrix of a tensor, and of the thin ones.
   *
   * @param rows of the matrix, and of the left one
   * @param columns of the matrix, and of the right one
   * @param rank columns of the left one, and rows of the right one
   */
  public record Lengths(long rows, long columns, int rank) {
    /** Checks that there are any. */
    public Lengths {
      if (rows < 1 || columns < 1 || rank < 1 || rank > MOST_RANK) {
        throw new IllegalArgumentException(rows + " x " + columns + " of rank " + rank);
      }
    }
  }

  /**
   * @param left of all matrices, each row by row
   * @param right of all matrices, each row by row
   * @param stored what both are views of
   * @throws IllegalArgumentException if they have not as many elements
   */
  public LowRank(Layout left, Layout right, List<Layout> stored, Lengths lengths, double scale) {
    long ofLeft = Math.multiplyExact(lengths.rows, (long) lengths.rank);
    long ofRight = Math.multiplyExact(lengths.columns, (long) lengths.rank);
    long matrices = left.elements() / ofLeft;
    if (matrices < 1
        || left.elements() != matrices * ofLeft
        || right.elements() != Math.multiplyExact(matrices, ofRight)) {
      throw new IllegalArgumentException(
          left.elements() + " and " + right.elements() + " elements for matrices of " + lengths);
    }
    if (!Numbers.areFloats(left.dtype()) || !Numbers.areFloats(right.dtype())) {
      throw new IllegalArgumentException("no product of " + left.dtype() + " " + right.dtype());
    }
    this.left = left;
    this.right = right;
    this.stored = List.copyOf(stored);
    this.rows = lengths.rows;
    this.columns = lengths.columns;
    this.rank = lengths.rank;
    this.scale = scale;
  }

  /** Elements of all matrices. */
  long elements() {
    return left.elements() / rank * columns;
  }

  /** The left ones, with the elements that a row of a product needs in a row. */
  public Layout left() {
    return left;
  }

  /** The right ones. */
  public Layout right() {
    return right;
  }

  public int rank() {
    return rank;
  }

  /** Columns of a matrix. */
  public long columns() {
    return columns;
  }

  double scale() {
    return scale;
  }

  /** Elements {@code [from, to)} of one of the thin matrices. */
  public record Range(long from, long to) {
    /** How many. */
    public int count() {
      return Math.toIntExact(to - from);
    }
  }

  /** The rows of the left matrices that elements {@code [from, to)} need, at least one of them. */
  public Range leftOf(long from, long to) {
    Objects.checkFromToIndex(from, to, elements());
    return new Range(from / columns * rank, ((to - 1) / columns + 1) * rank);
  }

  /** Which matrix an element is in. */
  public long matrixOf(long element) {
    return element / columns / rows;
  }

  /** The right matrices that elements {@code [from, to)} need, at least one of them. */
  Range rightOf(long from, long to) {
    long size = columns * rank;
    return new Range(matrixOf(from) * size, (matrixOf(to - 1) + 1) * size);
  }

  /** First element of a matrix in the tensor. */
  long startOf(long matrix) {
    return matrix * rows * columns;
  }

  /** Bytes of the left matrices that are read beside one element, at most. */
  int besides() {
    long row = (long) rank * left.dtype().bytes();
    return Math.toIntExact((row + columns - 1) / columns);
  }

  /** Runs of the left matrices for a number of elements, about: this many elements have one. */
  long granularity() {
    long ofRow = (rank + left.granularity() - 1) / Math.max(1, left.granularity());
    return Math.max(1, columns / Math.max(1, ofRow));
  }

  /** Gives the runs of both that lie in one input file. */
  void runsIn(int file, RunConsumer consumer) {
    stored.forEach(layout -> layout.runsIn(file, consumer));
  }

  /** Bytes of both, where they lie. */
  long storedBytes() {
    return stored.stream().mapToLong(Layout::storedBytes).sum();
  }
}
