package dev.reweave.tensor;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.stream.IntStream;

/**
 * A tensor of a checkpoint and where its elements lie.
 *
 * @param spec its name, shape and the type in which it is stored
 */
public record NamedTensor(TensorSpec spec, Layout layout) implements Serializable {
  public NamedTensor {
    if (spec.units() != layout.elements() || spec.dtype() != layout.dtype()) {
      throw new IllegalArgumentException(
          spec + " has a layout of " + layout.elements() + " units of " + layout.dtype());
    }
  }

  /** The tensor's name. */
  public String name() {
    return spec.name();
  }

  /** Its type where no other is asked for: as it is stored, or what it is added to. */
  public DType keptType() {
    return layout.summedOn().orElse(spec.dtype());
  }

  /** The same tensor under another name. */
  public NamedTensor renamed(String name) {
    return new NamedTensor(new TensorSpec(name, spec.dtype(), spec.shape()), layout);
  }

  /**
   * The same elements in another shape.
   *
   * @throws IllegalArgumentException if that has another number of elements
   */
  public NamedTensor withShape(Shape shape) {
    return new NamedTensor(new TensorSpec(spec.name(), spec.dtype(), shape), layout);
  }

  /**
   * A part of this tensor along one dimension, as {@code torch.narrow} gives it.
   *
   * @param name of the part
   * @param from first index of the dimension that is kept
   * @param length how many are kept
   * @throws IndexOutOfBoundsException if there is no such dimension, or it has no such indexes
   */
  public NamedTensor narrowed(String name, int dim, long from, long length) {
    long[] dims = spec.shape().dims();
    long whole = dims[Objects.checkIndex(dim, dims.length)];
    Objects.checkFromIndexSize(from, length, whole);
    dims[dim] = length;
    TensorSpec part = new TensorSpec(name, spec.dtype(), Shape.of(dims));
    if (length == whole) {
      return new NamedTensor(part, layout);
    }
    if (part.elements() == 0) {
      return new NamedTensor(part, new NarrowedLayout(layout, 1, layout.elements(), 0, 0));
    }
    if (layout instanceof StoredLayout stored && stored.shape().equals(spec.shape())) {
      return new NamedTensor(part, stored.narrowed(dim, from, length));
    }
    if (layout instanceof GridLayout grid && grid.isOf(spec.shape())) {
      return new NamedTensor(part, grid.narrowed(dim, from, length));
    }
    requireWholeUnits(dim);
    long outer = outer(part.shape(), dim);
    long inner = part.units() / outer / length;
    return new NamedTensor(
        part, new NarrowedLayout(layout, outer, whole * inner, from * inner, length * inner));
  }

  /**
   * Tensors joined along one dimension, as {@code torch.cat} gives them.
   *
   * @param name of the whole
   * @param parts in order, of one type, with all other dimensions the same
   * @throws IllegalArgumentException if there is no part or they do not go together
   * @throws IndexOutOfBoundsException if the first has no such dimension
   */
  public static NamedTensor joined(String name, int dim, List<NamedTensor> parts) {
    if (parts.isEmpty()) {
      throw new IllegalArgumentException("no parts for " + name);
    }
    NamedTensor first = parts.get(0);
    long[] dims = first.spec.shape().dims();
    dims[Objects.checkIndex(dim, dims.length)] = 0;
    for (NamedTensor part : parts) {
      long[] others = part.spec.shape().dims();
      if (others.length == dims.length) {
        dims[dim] = Math.addExact(dims[dim], others[dim]);
        others[dim] = dims[dim];
      }
      if (part.spec.dtype() != first.spec.dtype() || !Arrays.equals(dims, others)) {
        throw new IllegalArgumentException(
            first.spec + " and " + part.spec + " joined along dimension " + dim);
      }
    }
    TensorSpec whole = new TensorSpec(name, first.spec.dtype(), Shape.of(dims));
    if (parts.size() == 1 || whole.elements() == 0) {
      return new NamedTensor(whole, first.layout);
    }
    parts.forEach(part -> part.requireWholeUnits(dim));
    List<Layout> layouts = parts.stream().map(NamedTensor::layout).toList();
    return new NamedTensor(whole, new JoinedLayout(outer(whole.shape(), dim), layouts));
  }

  /**
   * What lies under one index of a dimension, as {@code torch.select} gives it: the dimension goes.
   *
   * @param name of what is selected
   * @throws IndexOutOfBoundsException if there is no such dimension, or it has no such index
   */
  public NamedTensor selected(String name, int dim, long index) {
    NamedTensor slice = narrowed(name, dim, index, 1);
    long[] dims = slice.spec.shape().dims();
    long[] others = new long[dims.length - 1];
    System.arraycopy(dims, 0, others, 0, dim);
    System.arraycopy(dims, dim + 1, others, dim, others.length - dim);
    return new NamedTensor(
        new TensorSpec(name, spec.dtype(), Shape.of(others)), slice.layoutWithout(dim));
  }

  /** The layout without a dimension of length 1, which a further part is taken of more easily. */
  private Layout layoutWithout(int dim) {
    if (layout instanceof StoredLayout stored && stored.shape().equals(spec.shape())) {
      return stored.without(dim);
    }
    return layout instanceof GridLayout grid && grid.isOf(spec.shape())
        ? grid.without(dim)
        : layout;
  }

  /**
   * Tensors stacked along a new dimension, as {@code torch.stack} gives them.
   *
   * @param name of the whole
   * @param dim the new dimension, among those of the whole
   * @param parts in order, of one type and shape
   * @throws IllegalArgumentException if there is no part or they do not go together
   * @throws IndexOutOfBoundsException if the whole can have no such dimension
   */
  public static NamedTensor stacked(String name, int dim, List<NamedTensor> parts) {
    return joined(name, dim, parts.stream().map(part -> part.withDimension(dim)).toList());
  }

  /**
   * This tensor with one dimension seen as several, and those in another order, as {@code
   * view(…).permute(…).reshape(…)} gives it: its shape stays.
   *
   * @param name of the result
   * @param lengths of the dimensions that {@code dim} is seen as, from the outermost
   * @param order which of them stands where, each once
   * @throws IllegalArgumentException if the lengths do not make up the dimension, or the order is
   *     none of them
   * @throws IndexOutOfBoundsException if there is no such dimension
   */
  public NamedTensor reordered(String name, int dim, List<Long> lengths, List<Integer> order) {
    long length = spec.shape().dim(Objects.checkIndex(dim, spec.shape().rank()));
    Shape inside = Shape.of(lengths.stream().mapToLong(Long::longValue).toArray());
    boolean eachOnce =
        order.stream().sorted().toList().equals(IntStream.range(0, inside.rank()).boxed().toList());
    if (inside.elements() != length || !eachOnce) {
      throw new IllegalArgumentException(
          spec + " with dimension " + dim + " seen as " + lengths + " in order " + order);
    }
    TensorSpec whole = new TensorSpec(name, spec.dtype(), spec.shape());
    if (spec.elements() == 0) {
      return new NamedTensor(whole, layout);
    }
    requireWholeUnits(dim);
    long outer = outer(spec.shape(), dim);
    long inner = spec.units() / outer / length;
    long[] strides = inside.rowMajorStrides();
    List<Long> dims = new ArrayList<>(List.of(outer));
    List<Long> steps = new ArrayList<>(List.of(length * inner));
    for (int from : order) {
      dims.add(lengths.get(from));
      steps.add(strides[from] * inner);
    }
    dims.add(inner);
    steps.add(1L);
    Shape seen = Shape.of(dims.stream().mapToLong(Long::longValue).toArray());
    return new NamedTensor(whole, new StridedLayout(layout, new Strided(seen, 0, steps)));
  }

  /** The same elements under a further dimension of length 1. */
  private NamedTensor withDimension(int dim) {
    long[] dims = spec.shape().dims();
    long[] more = new long[dims.length + 1];
    System.arraycopy(dims, 0, more, 0, Objects.checkIndex(dim, more.length));
    more[dim] = 1;
    System.arraycopy(dims, dim, more, dim + 1, dims.length - dim);
    return new NamedTensor(new TensorSpec(spec.name(), spec.dtype(), Shape.of(more)), layout);
  }

  /** What lies under one index of a dimension must have bytes of its own to be taken apart. */
  private void requireWholeUnits(int dim) {
    long[] dims = spec.shape().dims();
    long inner = 1;
    for (int i = dim + 1; i < dims.length; i++) {
      inner *= dims[i];
    }
    if (spec.dtype().isPacked() && inner * spec.dtype().bits() % Byte.SIZE != 0) {
      throw TensorFailures.sharedBytes(spec, dim);
    }
  }

  /** Product of the dimensions before {@code dim}. */
  private static long outer(Shape shape, int dim) {
    long outer = 1;
    for (int i = 0; i < dim; i++) {
      outer *= shape.dim(i);
    }
    return outer;
  }
}
