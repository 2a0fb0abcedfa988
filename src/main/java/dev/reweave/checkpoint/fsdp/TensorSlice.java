package dev.reweave.checkpoint.fsdp;

import dev.reweave.tensor.DType;
import dev.reweave.tensor.Shape;
import dev.reweave.tensor.StoredLayout;
import java.io.Serializable;
import java.util.List;

/**
 * What one rank has of a tensor.
 *
 * @param dtype of its elements
 * @param whole shape of the tensor of all ranks
 * @param cut how it was cut, in words, the same for all ranks
 * @param pieces none without elements; can be none
 */
record TensorSlice(DType dtype, Shape whole, Cut cut, List<Piece> pieces) implements Serializable {
  private static final long serialVersionUID = 1L;

  /**
   * A block of a tensor.
   *
   * @param offsets first index along each dimension of the whole tensor
   * @param sizes lengths of the block
   * @param layout of its elements in row-major order
   */
  record Piece(List<Long> offsets, Shape sizes, StoredLayout layout) implements Serializable {
    private static final long serialVersionUID = 1L;

    Piece {
      offsets = List.copyOf(offsets);
    }
  }

  /**
   * How a tensor was cut.
   *
   * @param how such as {@code DTensor on mesh dp 2: Shard(0)}; empty for one that was not
   * @param boxes a hash of where all pieces are, if each file tells it; or 0
   */
  record Cut(String how, int boxes) implements Serializable {
    private static final long serialVersionUID = 1L;

    /** Of a tensor that each rank has whole. */
    static final Cut NOT = new Cut("", 0);

    boolean isWhole() {
      return how.isEmpty();
    }
  }

  TensorSlice {
    pieces = List.copyOf(pieces);
  }
}
