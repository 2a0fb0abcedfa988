package dev.reweave.checkpoint.adapter;

import dev.reweave.tensor.Layout;
import dev.reweave.tensor.LowRank;
import dev.reweave.tensor.NamedTensor;
import dev.reweave.tensor.Shape;
import dev.reweave.tensor.Strided;
import dev.reweave.tensor.StridedLayout;
import java.util.ArrayList;
import java.util.List;

/**
 * The two matrices of a layer of an adapter, and which weights their product can be added to:
 * {@code get_delta_weight} of the layers in {@code peft/tuners/lora/layer.py}.
 *
 * <p>Of a linear layer A is [rank, in] and B is [out, rank]; a weight with inputs as rows takes the
 * product transposed, and so does an embedding. Of a convolution A has the kernel's dimensions
 * behind its own. Of fused experts the rows of A are cut by expert, and the columns of B by rank
 * first.
 */
final class Matrices {
  private final NamedTensor left;
  private final NamedTensor right;
  private final boolean isEmbedding;
  private final boolean isTransposed;
  private final long out;
  private final long in;
  private final long rank;

  /**
   * @param left B
   * @param right A
   * @param isEmbedding whether they are of an embedding
   * @param isTransposed whether the config says that weights have inputs as rows
   */
  Matrices(NamedTensor left, NamedTensor right, boolean isEmbedding, boolean isTransposed) {
    this.left = left;
    this.right = right;
    this.isEmbedding = isEmbedding;
    this.isTransposed = isTransposed;
    this.out = left.spec().shape().rank() < 2 ? 0 : left.spec().shape().dim(0);
    this.rank = right.spec().shape().rank() < 2 ? 0 : right.spec().shape().dim(0);
    this.in = rank == 0 ? 0 : right.spec().elements() / rank;
  }

  /** Which way the product goes into a weight. */
  enum Way {
    /** As it is. */
    STRAIGHT,
    /** Transposed. */
    CROSSED
  }

  /** The product for a weight. */
  final class Fit {
    private final Way way;
    private final long experts;

    private Fit(Way way, long experts) {
      this.way = way;
      this.experts = experts;
    }

    Way way() {
      return way;
    }

    boolean isOfExperts() {
      return experts > 1;
    }

    /** Of one expert, if it is one of several. */
    int rank() {
      return Math.toIntExact(rank / experts);
    }

    LowRank product(double scale) {
      long r = rank();
      boolean straight = way == Way.STRAIGHT;
      Layout ofLeft = left.layout();
      Layout ofRight = right.layout();
      Layout columns =
          seen(
              ofLeft,
              straight ? List.of(experts, out, r) : List.of(experts, r, out),
              straight ? List.of(1L, rank, experts) : List.of(1L, experts, rank));
      Layout rows =
          seen(
              ofRight,
              straight ? List.of(experts, r, in) : List.of(experts, in, r),
              straight ? List.of(r * in, in, 1L) : List.of(r * in, 1L, in));
      LowRank.Lengths lengths =
          new LowRank.Lengths(straight ? out : in, straight ? in : out, rank());
      return new LowRank(
          straight ? columns : rows,
          straight ? rows : columns,
          List.of(ofLeft, ofRight),
          lengths,
          scale);
    }

    /** The elements in another order; as they are, where that is the order that they are in. */
    private static Layout seen(Layout layout, List<Long> dims, List<Long> strides) {
      Strided view = new Strided(Shape.of(dims), 0, strides);
      return view.isContiguous() ? layout : new StridedLayout(layout, view);
    }
  }

  /** The ways in which their product makes a weight of this shape; none if it does not. */
  List<Fit> fits(Shape weight) {
    List<Fit> fits = new ArrayList<>();
    boolean isProduct = rank > 0 && rank <= LowRank.MOST_RANK && out > 0 && in > 0;
    if (!isProduct || left.spec().elements() != out * rank) {
      return fits;
    }
    long[] dims = weight.dims();
    if (isEmbedding) {
      if (weight.equals(Shape.of(in, out))) {
        fits.add(new Fit(Way.CROSSED, 1));
      }
    } else if (dims.length == 3 && isPair()) {
      if (dims[0] > 0 && rank % dims[0] == 0) {
        addIf(fits, dims[1] == out && dims[2] == in, Way.STRAIGHT, dims[0]);
        addIf(fits, dims[1] == in && dims[2] == out, Way.CROSSED, dims[0]);
      }
    } else if (weight.equals(Shape.of(out, in)) && weight.equals(Shape.of(in, out))) {
      fits.add(new Fit(isTransposed ? Way.CROSSED : Way.STRAIGHT, 1));
    } else {
      addIf(fits, isOfKernel(dims), Way.STRAIGHT, 1);
      addIf(fits, weight.equals(Shape.of(in, out)) && isPair(), Way.CROSSED, 1);
    }
    return fits;
  }

  private void addIf(List<Fit> fits, boolean is, Way way, long experts) {
    if (is) {
      fits.add(new Fit(way, experts));
    }
  }

  private boolean isPair() {
    return left.spec().shape().rank() == 2 && right.spec().shape().rank() == 2;
  }

  /** Whether a weight has as many outputs, and for each of them what a row of A has. */
  private boolean isOfKernel(long[] dims) {
    long[] row = right.spec().shape().dims();
    if (dims.length != row.length || dims[0] != out) {
      return false;
    }
    for (int d = 1; d < dims.length; d++) {
      if (dims[d] != row[d]) {
        return false;
      }
    }
    return true;
  }
}
