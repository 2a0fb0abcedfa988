package dev.reweave.checkpoint.fsdp;

import dev.reweave.tensor.Shape;
import dev.reweave.tensor.StoredLayout;
import java.util.ArrayList;
import java.util.List;

/** The pieces that a rank's tensors have in a file, of which there are no more than honest ones. */
final class Pieces {
  /** All tensors of a file together: a hostile pickle can name one long list again and again. */
  private static final int MOST = 1 << 20;

  /** Ranks of all meshes, and shards of all tensors, as often as they stand there. */
  private static final int MOST_NUMBERS = 1 << 26;

  private long count;
  private long looked;

  /**
   * Counts pieces.
   *
   * @throws IllegalArgumentException if there are too many
   */
  void count(int pieces) {
    count += pieces;
    if (count > MOST) {
      throw new IllegalArgumentException("tensors in more than " + MOST + " pieces");
    }
  }

  /**
   * Counts what is looked at before there are pieces.
   *
   * @throws IllegalArgumentException if it is too much
   */
  void look(int numbers) {
    looked += numbers;
    if (looked > MOST_NUMBERS) {
      throw new IllegalArgumentException("more than " + MOST_NUMBERS + " ranks or shards");
    }
  }

  /**
   * The blocks of a tensor that a rank has in one local tensor, in which they lie side by side.
   *
   * @param dims which indexes of each dimension it has; none of them is empty
   * @param local all of it, of as many indexes along each dimension
   */
  List<TensorSlice.Piece> blocks(List<Spans> dims, StoredLayout local) {
    List<TensorSlice.Piece> pieces = new ArrayList<>();
    add(pieces, dims, new ArrayList<>(), local);
    return pieces;
  }

  private void add(
      List<TensorSlice.Piece> pieces, List<Spans> dims, List<Long> offsets, StoredLayout local) {
    int dim = offsets.size();
    if (dim == dims.size()) {
      count(1);
      pieces.add(new TensorSlice.Piece(offsets, local.shape(), local));
      return;
    }
    long at = 0;
    for (Spans.Span span : dims.get(dim).list()) {
      offsets.add(span.from());
      add(pieces, dims, offsets, local.narrowed(dim, at, span.length()));
      offsets.remove(dim);
      at += span.length();
    }
  }

  /** A tensor that is all there: there are no more of them than entries. */
  static List<TensorSlice.Piece> whole(StoredLayout layout) {
    if (layout.elements() == 0) {
      return List.of();
    }
    Shape shape = layout.shape();
    List<Long> offsets = new ArrayList<>();
    for (int d = 0; d < shape.rank(); d++) {
      offsets.add(0L);
    }
    return List.of(new TensorSlice.Piece(offsets, shape, layout));
  }
}
