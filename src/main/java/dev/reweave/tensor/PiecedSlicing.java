package dev.reweave.tensor;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * Each rank has pieces of the whole, which lie anywhere in its slice. Several ranks may have the
 * same piece; such copies should be the same, as those of {@link Slicing.Copied}.
 *
 * @param shape of the whole; a slice may have fewer dimensions, the first ones of which are one
 * @param shares what each rank has, in rank order
 */
public record PiecedSlicing(Shape shape, List<Share> shares) implements Slicing {
  /** Keeps its own list. */
  public PiecedSlicing {
    shares = List.copyOf(shares);
  }

  /**
   * What a rank has.
   *
   * @param shape of its slice
   * @param pieces that fill it
   */
  public record Share(Shape shape, List<SlicePiece> pieces) implements Serializable {
    /** Keeps its own list, of the pieces that have elements. */
    public Share {
      pieces = pieces.stream().filter(piece -> !piece.isEmpty()).toList();
    }
  }

  /** A piece and its elements in the order of the whole. */
  private record Held(int rank, SlicePiece piece, Layout layout) {}

  @Override
  public NamedTensor whole(List<NamedTensor> slices) {
    if (slices.size() != shares.size()) {
      throw new IllegalArgumentException("the pieces are of " + shares.size() + " ranks");
    }
    NamedTensor first = slices.get(0);
    TensorSpec spec = new TensorSpec(first.name(), first.spec().dtype(), shapeLike(slices));
    List<Held> held = new ArrayList<>();
    for (int rank = 0; rank < slices.size(); rank++) {
      requireFilled(rank, slices.get(rank).layout());
      for (SlicePiece piece : shares.get(rank).pieces()) {
        SlicePiece ordered = piece.ordered();
        held.add(new Held(rank, ordered, part(slices.get(rank).layout(), ordered.slice())));
      }
    }
    try {
      return new NamedTensor(spec, held.isEmpty() ? first.layout() : layout(held));
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(
          "the pieces do not make up shape " + shape + ": " + e.getMessage(), e);
    }
  }

  /**
   * The shape of a rank's slice; empty if there is no such rank.
   *
   * @param dimensions that slices have
   */
  public Optional<Shape> sliceShape(int rank, int dimensions) {
    return rank < shares.size()
        ? Optional.of(flattened(shares.get(rank).shape(), dimensions))
        : Optional.empty();
  }

  /** Whether each rank has all of it, as it is. */
  public boolean areCopies() {
    return shares.stream()
        .allMatch(
            share ->
                share.pieces().size() == 1
                    && share.pieces().get(0).isWhole(shape.elements())
                    && share.pieces().get(0).scale() == 1);
  }

  /** Whether each rank has one run of it alone, as long as all others, and they are in order. */
  public boolean areEvenShares() {
    long length = shape.elements() / Math.max(1, shares.size());
    for (int rank = 0; rank < shares.size(); rank++) {
      List<SlicePiece> pieces = shares.get(rank).pieces();
      if (pieces.size() != 1
          || shape.elements() % shares.size() != 0
          || !pieces.get(0).isRun(rank * length, length)
          || pieces.get(0).scale() != 1
          || !pieces.get(0).holders().equals(Set.of(rank))) {
        return false;
      }
    }
    return true;
  }

  /** The shape of the whole, with as many dimensions as the slices have. */
  private Shape shapeLike(List<NamedTensor> slices) {
    int rank = slices.get(0).spec().shape().rank();
    for (int i = 0; i < slices.size(); i++) {
      Shape has = slices.get(i).spec().shape();
      Shape share = shares.get(i).shape();
      if (has.rank() != rank || !has.equals(flattened(share, rank))) {
        throw new IllegalArgumentException(
            "rank " + i + " has shape " + has + ", and its pieces are of " + share);
      }
      if (slices.get(i).spec().dtype() != slices.get(0).spec().dtype()) {
        throw new IllegalArgumentException(
            "slices of " + slices.get(0).spec().dtype() + " and " + slices.get(i).spec().dtype());
      }
    }
    return flattened(shape, rank);
  }

  /** The same with the first dimensions made one, so that so many are left. */
  private static Shape flattened(Shape shape, int rank) {
    int surplus = shape.rank() - rank;
    if (surplus <= 0 || rank == 0) {
      return shape;
    }
    long[] dims = new long[rank];
    dims[0] = 1;
    for (int d = 0; d < shape.rank(); d++) {
      dims[Math.max(0, d - surplus)] = d <= surplus ? dims[0] * shape.dim(d) : shape.dim(d);
    }
    return Shape.of(dims);
  }

  private static Layout part(Layout slice, Strided view) {
    return view.isContiguous() && view.elements() == slice.elements()
        ? slice
        : new StridedLayout(slice, view);
  }

  /** What lies in a slice and in no piece would be lost, and what is in two of them is unclear. */
  private void requireFilled(int rank, Layout slice) {
    List<Strided> views =
        shares.get(rank).pieces().stream()
            .map(SlicePiece::slice)
            .map(view -> view.ordered(view.order()))
            .toList();
    try {
      if (views.isEmpty() && slice.elements() > 0) {
        throw new IllegalArgumentException("there is none");
      }
      if (views.size() > 1 || (views.size() == 1 && part(slice, views.get(0)) != slice)) {
        StridedBlocks blocks = new StridedBlocks(views, slice.elements());
        // A grid takes nothing but blocks that fill it.
        grid(blocks, views.stream().map(view -> part(slice, view)).toList());
      }
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(
          "the pieces of rank "
              + rank
              + " do not fill its slice of shape "
              + shares.get(rank).shape()
              + ": "
              + e.getMessage(),
          e);
    }
  }

  private static Layout grid(StridedBlocks blocks, List<Layout> layouts) {
    List<GridLayout.Block> all = new ArrayList<>();
    for (int i = 0; i < layouts.size(); i++) {
      StridedBlocks.Box box = blocks.boxes().get(i);
      all.add(new GridLayout.Block(box.offsets(), box.sizes(), layouts.get(i)));
    }
    return new GridLayout(blocks.shape(), all);
  }

  private Layout layout(List<Held> held) {
    Map<StridedBlocks.Box, List<Held>> blocks = new LinkedHashMap<>();
    StridedBlocks views =
        new StridedBlocks(held.stream().map(h -> h.piece().whole()).toList(), shape.elements());
    for (int i = 0; i < held.size(); i++) {
      blocks.computeIfAbsent(views.boxes().get(i), b -> new ArrayList<>()).add(held.get(i));
    }
    if (blocks.size() == 1 && held.get(0).piece().whole().elements() == shape.elements()) {
      return combined(held);
    }
    List<GridLayout.Block> all = new ArrayList<>();
    blocks.forEach(
        (box, copies) ->
            all.add(new GridLayout.Block(box.offsets(), box.sizes(), combined(copies))));
    return new GridLayout(views.shape(), all);
  }

  /** The copies that several ranks have of one block, made one. */
  private static Layout combined(List<Held> copies) {
    SlicePiece first = copies.get(0).piece();
    Set<Integer> ranks = new TreeSet<>();
    for (Held copy : copies) {
      if (!ranks.add(copy.rank())) {
        throw new IllegalArgumentException(
            "rank " + copy.rank() + " has " + first.whole() + " twice");
      }
      if (copy.piece().scale() != first.scale()) {
        throw new IllegalArgumentException(
            "ranks have "
                + first.whole()
                + " times "
                + first.scale()
                + " and times "
                + copy.piece().scale());
      }
    }
    for (Held copy : copies) {
      if (!ranks.equals(copy.piece().holders())) {
        throw new IllegalArgumentException(
            "ranks "
                + ranks
                + " have "
                + first.whole()
                + ", and it is said to be held by "
                + new TreeSet<>(copy.piece().holders()));
      }
    }
    List<Layout> layouts = copies.stream().map(Held::layout).toList();
    Layout stored =
        layouts.size() == 1
            ? layouts.get(0)
            : new CombinedLayout(CombinedLayout.Kind.REPLICATED, layouts);
    return first.scale() == 1 ? stored : new QuotientLayout(stored, first.scale());
  }
}
