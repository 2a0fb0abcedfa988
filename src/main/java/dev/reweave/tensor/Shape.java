package dev.reweave.tensor;

import java.io.Serializable;
import java.util.Arrays;
import java.util.List;

/**
 * Lengths of a tensor's dimensions, outermost first; no dimensions for a scalar.
 *
 * <p>Each is at least 0, and their product fits in a {@code long}.
 */
public final class Shape implements Serializable {
  private static final long serialVersionUID = 1L;

  /** The shape of a tensor of one element and no dimensions. */
  public static final Shape SCALAR = new Shape(new long[0]);

  private final long[] dims;
  private final long elements;

  private Shape(long[] dims) {
    long product = 1;
    for (long dim : dims) {
      if (dim < 0) {
        throw new IllegalArgumentException("negative dimension in shape " + Arrays.toString(dims));
      }
      try {
        product = Math.multiplyExact(product, dim);
      } catch (ArithmeticException e) {
        throw new IllegalArgumentException("shape overflows: " + Arrays.toString(dims), e);
      }
    }
    this.dims = dims;
    this.elements = product;
  }

  /**
   * A shape of these dimensions, outermost first.
   *
   * @throws IllegalArgumentException if a dimension is negative or the product overflows
   */
  public static Shape of(long... dims) {
    return new Shape(dims.clone());
  }

  /** See {@link #of(long...)}. */
  public static Shape of(List<Long> dims) {
    long[] lengths = new long[dims.size()];
    for (int i = 0; i < lengths.length; i++) {
      lengths[i] = dims.get(i);
    }
    return new Shape(lengths);
  }

  /** Number of dimensions. */
  public int rank() {
    return dims.length;
  }

  /** Length of dimension {@code i}, {@code 0 <= i < rank()}. */
  public long dim(int i) {
    return dims[i];
  }

  /** The dimensions, outermost first. */
  public long[] dims() {
    return dims.clone();
  }

  /** Product of the dimensions; 1 for a scalar. */
  public long elements() {
    return elements;
  }

  /** Strides, in elements, of a row-major (contiguous) tensor of this shape. */
  public long[] rowMajorStrides() {
    long[] strides = new long[dims.length];
    long stride = 1;
    for (int i = dims.length - 1; i >= 0; i--) {
      strides[i] = stride;
      long next = Math.max(1, dims[i]);
      // In a shape without elements the product may overflow, and strides mean nothing.
      stride = stride > Long.MAX_VALUE / next ? 0 : stride * next;
    }
    return strides;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Shape that && Arrays.equals(dims, that.dims);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(dims);
  }

  /** As in a safetensors header: {@code [13, 7]}; {@code []} for a scalar. */
  @Override
  public String toString() {
    return Arrays.toString(dims);
  }
}
