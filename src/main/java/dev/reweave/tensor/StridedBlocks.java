package dev.reweave.tensor;

import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;

/**
 * Views of one sequence of elements as blocks of one tensor: its dimensions are those of all views
 * together, as their strides tell them. Pieces that interleave row by row are blocks side by side.
 */
final class StridedBlocks {
  /** Where a block starts along each dimension, and how long it is. */
  record Box(List<Long> offsets, Shape sizes) {}

  private final Shape shape;
  private final List<Box> boxes;

  /**
   * @param views with dimensions in order of their strides, from the greatest to the least
   * @param elements of the sequence, at least 1
   * @throws IllegalArgumentException if a view leaves the sequence, has an element twice, or is no
   *     block of any tensor that has the others
   */
  StridedBlocks(List<Strided> views, long elements) {
    List<Strided> merged = views.stream().map(Strided::merged).toList();
    TreeSet<Long> strides = new TreeSet<>(List.of(1L));
    for (Strided view : merged) {
      view.requireWithin(elements);
      strides.addAll(view.strides());
    }
    List<Long> dims = new ArrayList<>();
    long outer = elements;
    for (long stride : strides.descendingSet()) {
      if (stride == 0 || outer % stride != 0) {
        throw new IllegalArgumentException(
            "strides " + strides + " are of no tensor of " + elements + " elements");
      }
      dims.add(outer / stride);
      outer = stride;
    }
    this.shape = Shape.of(dims);
    List<Long> descending = List.copyOf(strides.descendingSet());
    this.boxes = merged.stream().map(view -> box(view, descending)).toList();
  }

  private Box box(Strided view, List<Long> strides) {
    List<Long> offsets = new ArrayList<>();
    long rest = view.offset();
    for (long stride : strides) {
      offsets.add(rest / stride);
      rest %= stride;
    }
    long[] sizes = new long[strides.size()];
    for (int d = 0; d < view.shape().rank(); d++) {
      spread(view, view.shape().dim(d), strides.indexOf(view.strides().get(d)), offsets, sizes);
    }
    for (int d = 0; d < sizes.length; d++) {
      sizes[d] = Math.max(1, sizes[d]);
    }
    return new Box(offsets, Shape.of(sizes));
  }

  /** A dimension of a view can be several of the tensor, of which all but the first are whole. */
  private void spread(Strided view, long length, int innermost, List<Long> offsets, long[] sizes) {
    long left = length;
    for (int d = innermost; left > 1; d--) {
      boolean fits = d >= 0 && sizes[d] == 0 && left <= shape.dim(d) - offsets.get(d);
      boolean whole = d > 0 && sizes[d] == 0 && offsets.get(d) == 0 && left % shape.dim(d) == 0;
      if (!fits && !whole) {
        throw new IllegalArgumentException(view + " is no block of a tensor of shape " + shape);
      }
      sizes[d] = fits ? left : shape.dim(d);
      left = fits ? 1 : left / shape.dim(d);
    }
  }

  /** The tensor, whose elements are those of the sequence, in order. */
  Shape shape() {
    return shape;
  }

  /** What each view is, in their order. */
  List<Box> boxes() {
    return boxes;
  }
}
