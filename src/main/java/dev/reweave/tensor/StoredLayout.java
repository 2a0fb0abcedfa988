package dev.reweave.tensor;

import java.util.Arrays;
import java.util.Comparator;
import java.util.Objects;

/**
 * A view of one storage, as {@code torch.as_strided} makes it: element {@code i, j, …} is at {@code
 * offset + i * strides[0] + j * strides[1] + …}.
 */
public final class StoredLayout implements Layout {
  private static final long serialVersionUID = 1L;

  private final StorageRef storage;
  private final long offset;
  private final Shape shape;
  private final long[] strides;
  private final int innerRank;
  private final long granularity;

  /**
   * @param offset first element of the view in the storage
   * @param strides distance in elements of neighbours along each dimension, at least 0
   * @throws IllegalArgumentException if the view leaves the storage
   */
  public StoredLayout(StorageRef storage, long offset, Shape shape, long[] strides) {
    this.storage = storage;
    this.offset = offset;
    this.shape = shape;
    this.strides = strides.clone();
    if (strides.length != shape.rank()) {
      throw new IllegalArgumentException(
          "strides " + Arrays.toString(strides) + " for shape " + shape);
    }
    checkWithinStorage();
    int inner = shape.rank();
    long run = 1;
    while (inner > 0 && (shape.dim(inner - 1) == 1 || strides[inner - 1] == run)) {
      run *= shape.dim(inner - 1);
      inner--;
    }
    this.innerRank = inner;
    this.granularity = Math.max(1, run);
  }

  private void checkWithinStorage() {
    String view =
        "a view of shape " + shape + ", strides " + Arrays.toString(strides) + " at " + offset;
    try {
      long last = offset;
      for (int i = 0; i < strides.length; i++) {
        if (strides[i] < 0) {
          throw new IllegalArgumentException(view + " has a negative stride");
        }
        long steps = shape.elements() == 0 ? 0 : shape.dim(i) - 1;
        last = Math.addExact(last, Math.multiplyExact(steps, strides[i]));
      }
      if (offset < 0 || (shape.elements() > 0 && last >= storage.elements())) {
        throw new IllegalArgumentException(
            view + " runs past its storage of " + storage.elements() + " elements");
      }
    } catch (ArithmeticException e) {
      throw new IllegalArgumentException(view + " overflows", e);
    }
  }

  /** A view in row-major order without gaps. */
  public static StoredLayout contiguous(StorageRef storage, long offset, Shape shape) {
    return new StoredLayout(storage, offset, shape, shape.rowMajorStrides());
  }

  /**
   * The same view of fewer indexes of one dimension.
   *
   * @throws IndexOutOfBoundsException if it has not so many
   */
  public StoredLayout narrowed(int dim, long from, long length) {
    Objects.checkFromIndexSize(from, length, shape.dim(dim));
    long[] dims = shape.dims();
    dims[dim] = length;
    return new StoredLayout(storage, offset + from * strides[dim], Shape.of(dims), strides);
  }

  /** The same view without a dimension of length 1. */
  StoredLayout without(int dim) {
    if (shape.dim(dim) != 1) {
      throw new IllegalArgumentException("dimension " + dim + " of shape " + shape);
    }
    long[] dims = new long[strides.length - 1];
    long[] steps = new long[dims.length];
    for (int i = 0; i < dims.length; i++) {
      int from = i < dim ? i : i + 1;
      dims[i] = shape.dim(from);
      steps[i] = strides[from];
    }
    return new StoredLayout(storage, offset, Shape.of(dims), steps);
  }

  /** The lengths of the view's dimensions. */
  public Shape shape() {
    return shape;
  }

  /** The storage that is viewed. */
  public StorageRef storage() {
    return storage;
  }

  /** First element of the view in the storage. */
  public long offset() {
    return offset;
  }

  /** Whether the elements lie in row-major order without gaps. */
  public boolean isContiguous() {
    return innerRank == 0 || shape.elements() == 0;
  }

  /** The view as a piece of a flat buffer; only where {@link #isContiguous()}. */
  public FlatBuffer.StorageRun piece() {
    if (!isContiguous()) {
      throw new IllegalArgumentException("not contiguous: shape " + shape);
    }
    // An empty view may lie behind the end of its storage, as torch's slices of slices can.
    return new FlatBuffer.StorageRun(storage, elements() == 0 ? 0 : offset, elements());
  }

  @Override
  public long elements() {
    return shape.elements();
  }

  @Override
  public DType dtype() {
    return storage.dtype();
  }

  @Override
  public void runs(long from, long to, RunConsumer consumer) {
    Objects.checkFromToIndex(from, to, elements());
    long at = from;
    while (at < to) {
      long within = at % granularity;
      long length = Math.min(granularity - within, to - at);
      consumer.run(storage, offset + outerOffset(at / granularity) + within, length);
      at += length;
    }
  }

  /** One run where the view is a dense block in any order of dimensions, such as a transpose. */
  @Override
  public void runsIn(int file, RunConsumer consumer) {
    if (storage.file() == file && elements() > 0) {
      if (isDense()) {
        consumer.run(storage, offset, elements());
      } else {
        runs(0, elements(), consumer);
      }
    }
  }

  private boolean isDense() {
    long block = 1;
    Integer[] byStride = new Integer[strides.length];
    Arrays.setAll(byStride, i -> i);
    Arrays.sort(byStride, Comparator.comparingLong(i -> strides[i]));
    for (int i : byStride) {
      if (shape.dim(i) != 1) {
        if (strides[i] != block) {
          return false;
        }
        block *= shape.dim(i);
      }
    }
    return true;
  }

  /** Offset of the {@code index}th run of {@link #granularity()} elements. */
  private long outerOffset(long index) {
    long rest = index;
    long sum = 0;
    for (int i = innerRank - 1; i >= 0; i--) {
      sum += rest % shape.dim(i) * strides[i];
      rest /= shape.dim(i);
    }
    return sum;
  }

  @Override
  public long granularity() {
    return granularity;
  }

  /** Equal if both show the same elements of the same storage in the same order. */
  @Override
  public boolean equals(Object other) {
    return other instanceof StoredLayout that
        && storage.equals(that.storage)
        && offset == that.offset
        && shape.equals(that.shape)
        && (Arrays.equals(strides, that.strides) || (isContiguous() && that.isContiguous()));
  }

  @Override
  public int hashCode() {
    return Objects.hash(storage, offset, shape);
  }
}
