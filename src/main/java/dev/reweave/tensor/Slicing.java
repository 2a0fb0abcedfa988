package dev.reweave.tensor;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;

/** How tensor-parallel ranks share a tensor, and so how their slices make the whole again. */
public sealed interface Slicing extends Serializable
    permits Slicing.Along,
        Slicing.Copied,
        Slicing.EvenParts,
        Slicing.SizedParts,
        Slicing.Parts,
        Slicing.Padded,
        PiecedSlicing {

  /**
   * The whole tensor.
   *
   * @param slices what each rank has, in rank order, all under the tensor's name
   * @throws IllegalArgumentException if they cannot be slices of this kind; says why
   */
  NamedTensor whole(List<NamedTensor> slices);

  /** Each rank has its share of one dimension: 0 is column-parallel, 1 is row-parallel. */
  record Along(int dim) implements Slicing {
    /** Checks the dimension. */
    public Along {
      requireDim(dim);
    }

    @Override
    public NamedTensor whole(List<NamedTensor> slices) {
      requireSimilar(slices, dim);
      return NamedTensor.joined(slices.get(0).name(), dim, slices);
    }
  }

  /** Each rank has the whole tensor. */
  record Copied(CombinedLayout.Kind kind) implements Slicing {
    @Override
    public NamedTensor whole(List<NamedTensor> slices) {
      NamedTensor first = slices.get(0);
      requireSimilar(slices, -1);
      return new NamedTensor(
          first.spec(),
          new CombinedLayout(kind, slices.stream().map(NamedTensor::layout).toList()));
    }
  }

  /** Several parts lie end to end along a dimension, and each rank has an equal share of each. */
  record EvenParts(int dim, int count) implements Slicing {
    /** Checks the numbers. */
    public EvenParts {
      requireDim(dim);
      if (count < 1) {
        throw new IllegalArgumentException(count + " parts");
      }
    }

    @Override
    public NamedTensor whole(List<NamedTensor> slices) {
      requireSimilar(slices, dim);
      List<Long> widths = new ArrayList<>();
      for (NamedTensor slice : slices) {
        long length = slice.spec().shape().dim(dim);
        if (length % count != 0) {
          throw new IllegalArgumentException(
              "dimension " + dim + " of " + slice.spec().shape() + " has not " + count + " parts");
        }
        widths.add(length / count);
      }
      return new Parts(dim, Collections.nCopies(count, widths)).whole(slices);
    }
  }

  /** The same with parts of these lengths in the whole, each of which is shared equally. */
  record SizedParts(int dim, List<Long> sizes) implements Slicing {
    /** Checks the numbers. */
    public SizedParts {
      requireDim(dim);
      sizes = List.copyOf(sizes);
    }

    @Override
    public NamedTensor whole(List<NamedTensor> slices) {
      int ranks = slices.size();
      for (long size : sizes) {
        if (size % ranks != 0) {
          throw new IllegalArgumentException(
              "a part of " + size + " is not shared equally by " + ranks + " ranks");
        }
      }
      return new Parts(dim, sizes.stream().map(s -> Collections.nCopies(ranks, s / ranks)).toList())
          .whole(slices);
    }
  }

  /**
   * The same with unequal shares.
   *
   * @param widths of each part, what each rank has
   */
  record Parts(int dim, List<List<Long>> widths) implements Slicing {
    /** Checks the numbers. */
    public Parts {
      requireDim(dim);
      widths = widths.stream().map(List::copyOf).toList();
    }

    @Override
    public NamedTensor whole(List<NamedTensor> slices) {
      requireSimilar(slices, dim);
      String name = slices.get(0).name();
      long[] at = new long[slices.size()];
      List<NamedTensor> pieces = new ArrayList<>();
      for (List<Long> part : widths) {
        if (part.size() != at.length) {
          throw new IllegalArgumentException(
              "widths " + part + " of a part are not of " + at.length + " ranks");
        }
        for (int r = 0; r < at.length; r++) {
          long width = part.get(r);
          if (width < 0 || width > slices.get(r).spec().shape().dim(dim) - at[r]) {
            throw unfit(slices.get(r));
          }
          pieces.add(slices.get(r).narrowed(name, dim, at[r], width));
          at[r] += width;
        }
      }
      for (int r = 0; r < at.length; r++) {
        if (at[r] != slices.get(r).spec().shape().dim(dim)) {
          throw unfit(slices.get(r));
        }
      }
      return NamedTensor.joined(name, dim, pieces);
    }

    private IllegalArgumentException unfit(NamedTensor slice) {
      return new IllegalArgumentException(
          "parts of widths "
              + widths
              + " do not fill dimension "
              + dim
              + " of a slice of shape "
              + slice.spec().shape());
    }
  }

  /**
   * A vocabulary that was padded so that it can be shared.
   *
   * @param rows without padding
   */
  record Padded(Slicing slicing, long rows) implements Slicing {
    /** Checks the number. */
    public Padded {
      if (rows < 0) {
        throw new IllegalArgumentException("a vocabulary of " + rows);
      }
    }

    @Override
    public NamedTensor whole(List<NamedTensor> slices) {
      NamedTensor padded = slicing.whole(slices);
      Shape shape = padded.spec().shape();
      if (shape.rank() == 0 || shape.dim(0) < rows) {
        throw new IllegalArgumentException(
            "a vocabulary of " + rows + " in a tensor of shape " + shape);
      }
      return padded.narrowed(padded.name(), 0, 0, rows);
    }
  }

  private static void requireDim(int dim) {
    if (dim < 0) {
      throw new IllegalArgumentException("dimension " + dim);
    }
  }

  /** Requires one type, and one shape but for one dimension; none for -1. */
  private static void requireSimilar(List<NamedTensor> slices, int dim) {
    TensorSpec first = slices.get(0).spec();
    if (dim >= first.shape().rank()) {
      throw new IllegalArgumentException(
          "there is no dimension " + dim + " in shape " + first.shape());
    }
    for (NamedTensor slice : slices) {
      long[] wanted = first.shape().dims();
      long[] dims = slice.spec().shape().dims();
      if (dim >= 0 && dims.length == wanted.length) {
        wanted[dim] = dims[dim];
      }
      if (slice.spec().dtype() != first.dtype() || !Arrays.equals(wanted, dims)) {
        throw new IllegalArgumentException(
            "slices of "
                + first.dtype()
                + " "
                + first.shape()
                + " and "
                + slice.spec().dtype()
                + " "
                + slice.spec().shape()
                + (dim < 0 ? " are no copies" : " do not go together along dimension " + dim));
      }
    }
  }
}
