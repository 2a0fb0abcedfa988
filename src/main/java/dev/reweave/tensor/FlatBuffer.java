package dev.reweave.tensor;

import java.io.Serializable;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;

/**
 * StorageRuns of storages laid end to end: one flat parameter group over all ranks (ZeRO-1 and 2),
 * or all sub-groups of one rank (ZeRO-3). Shared by the layouts of all tensors in it.
 */
public final class FlatBuffer implements Serializable {
  private static final long serialVersionUID = 1L;

  /**
   * A contiguous piece of a storage, in elements.
   *
   * @param offset first element in the storage
   */
  public record StorageRun(StorageRef storage, long offset, long elements) implements Serializable {
    public StorageRun {
      Objects.checkFromIndexSize(offset, elements, storage.elements());
    }
  }

  private final List<StorageRun> pieces;
  private final long[] ends;
  private final DType dtype;

  /** Made when it is first asked for; by several threads the same. */
  private transient volatile Set<Integer> files;

  /**
   * @throws IllegalArgumentException if there is no piece, their types differ or their lengths
   *     overflow
   */
  public FlatBuffer(List<StorageRun> pieces) {
    if (pieces.isEmpty()) {
      throw new IllegalArgumentException("a flat buffer of no pieces");
    }
    this.pieces = List.copyOf(pieces);
    this.dtype = pieces.get(0).storage().dtype();
    this.ends = new long[pieces.size()];
    long end = 0;
    for (int i = 0; i < ends.length; i++) {
      StorageRun piece = pieces.get(i);
      if (piece.storage().dtype() != dtype) {
        throw new IllegalArgumentException(
            "a flat buffer of " + dtype + " and " + piece.storage().dtype());
      }
      if (piece.elements() > Long.MAX_VALUE - end) {
        throw new IllegalArgumentException("a flat buffer of too many elements");
      }
      end += piece.elements();
      ends[i] = end;
    }
  }

  /** Number of elements in all pieces. */
  public long elements() {
    return ends[ends.length - 1];
  }

  /** Type of the elements. */
  public DType dtype() {
    return dtype;
  }

  /** The pieces, in order. */
  public List<StorageRun> pieces() {
    return pieces;
  }

  /**
   * Gives the runs of elements {@code [from, to)}.
   *
   * @throws IndexOutOfBoundsException unless {@code 0 <= from <= to <= elements()}
   */
  public void runs(long from, long to, RunConsumer consumer) {
    Objects.checkFromToIndex(from, to, elements());
    long at = from;
    int i = pieceOf(from);
    while (at < to) {
      StorageRun piece = pieces.get(i);
      long within = at - (ends[i] - piece.elements());
      long length = Math.min(piece.elements() - within, to - at);
      if (length > 0) {
        consumer.run(piece.storage(), piece.offset() + within, length);
      }
      at += length;
      i++;
    }
  }

  /** Whether a piece lies in this input file. */
  boolean touches(int file) {
    return files().contains(file);
  }

  /** The input files in which pieces lie. */
  Set<Integer> files() {
    Set<Integer> known = files;
    if (known == null) {
      known = new HashSet<>();
      for (StorageRun piece : pieces) {
        known.add(piece.storage().file());
      }
      files = known;
    }
    return known;
  }

  /** Index of the first piece that ends behind {@code element}. */
  private int pieceOf(long element) {
    int low = 0;
    int high = ends.length;
    while (low < high) {
      int middle = (low + high) >>> 1;
      if (ends[middle] > element) {
        high = middle;
      } else {
        low = middle + 1;
      }
    }
    return low;
  }
}
