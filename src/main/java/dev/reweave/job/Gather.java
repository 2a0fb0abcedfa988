package dev.reweave.job;

import dev.reweave.tensor.Cast;
import dev.reweave.tensor.Layout;
import dev.reweave.tensor.StorageRef;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * Reads elements of a tensor from wherever its layout says, into one buffer. Runs are read in the
 * order of the files, neighbours with one request; each needed byte is read once.
 */
final class Gather {
  /** Most runs of one call, so that a tensor that is stored transposed takes bounded memory. */
  static final int MOST_RUNS = 1 << 18;

  /** Bytes between two needed ranges that cost less to read than a request of their own. */
  private static final int NEAR = 16 << 10;

  /** Most bytes of a request that covers several runs. */
  static final int MOST_JOINED = 8 << 20;

  /** A contiguous piece of a storage and where it goes; in bytes. */
  private record Piece(StorageRef storage, long position, int length, int target) {
    long filePosition() {
      return storage.position() + position;
    }

    long fileEnd() {
      return filePosition() + length;
    }
  }

  private final OpenFiles files;
  private final ReadTally tally;
  private byte[] joined = new byte[0];

  Gather(OpenFiles files, ReadTally tally) {
    this.files = files;
    this.tally = tally;
  }

  /** Most elements that one call may take of a layout. */
  static long mostElements(Layout layout) {
    return Math.max(1, Math.min(Long.MAX_VALUE / MOST_RUNS, layout.granularity())) * MOST_RUNS;
  }

  /** Reads elements {@code [from, to)} to {@code target[offset…]}, little-endian. */
  void read(Layout layout, long from, long to, byte[] target, int offset) {
    List<Piece> pieces = new ArrayList<>();
    int size = layout.dtype().bytes();
    int[] at = {offset};
    layout.runs(
        from,
        to,
        (storage, first, elements) -> {
          int length = Math.toIntExact(elements * size);
          pieces.add(new Piece(storage, first * size, length, at[0]));
          at[0] += length;
        });
    pieces.sort(
        Comparator.comparingInt((Piece p) -> p.storage().file())
            .thenComparingLong(Piece::filePosition));
    int start = 0;
    while (start < pieces.size()) {
      int end = start + 1;
      Piece first = pieces.get(start);
      long reach = first.fileEnd();
      while (end < pieces.size() && joins(first, reach, pieces.get(end))) {
        reach = Math.max(reach, pieces.get(end).fileEnd());
        end++;
      }
      readJoined(pieces.subList(start, end), Math.toIntExact(reach - first.filePosition()), target);
      start = end;
    }
    toLittleEndian(layout, pieces, target);
  }

  private static boolean joins(Piece first, long reach, Piece next) {
    return next.storage().file() == first.storage().file()
        && next.filePosition() - reach <= NEAR
        && next.fileEnd() - first.filePosition() <= MOST_JOINED;
  }

  private void readJoined(List<Piece> pieces, int length, byte[] target) {
    Piece first = pieces.get(0);
    int file = first.storage().file();
    tally.request(length);
    if (pieces.size() == 1) {
      files.readFully(file, first.filePosition(), target, first.target(), length);
      tally.take(first.storage(), first.position(), target, first.target(), length);
      return;
    }
    if (joined.length < length) {
      joined = new byte[length];
    }
    files.readFully(file, first.filePosition(), joined, 0, length);
    for (Piece piece : pieces) {
      int at = (int) (piece.filePosition() - first.filePosition());
      System.arraycopy(joined, at, target, piece.target(), piece.length());
    }
    takeSpans(pieces);
  }

  /** Checksums of adjacent pieces are taken at once: shares of tiny pieces are costly. */
  private void takeSpans(List<Piece> pieces) {
    long origin = pieces.get(0).filePosition();
    int start = 0;
    while (start < pieces.size()) {
      Piece first = pieces.get(start);
      int end = start + 1;
      while (end < pieces.size()
          && pieces.get(end).storage().equals(first.storage())
          && pieces.get(end).filePosition() == pieces.get(end - 1).fileEnd()) {
        end++;
      }
      int length = (int) (pieces.get(end - 1).fileEnd() - first.filePosition());
      int at = (int) (first.filePosition() - origin);
      tally.take(first.storage(), first.position(), joined, at, length);
      start = end;
    }
  }

  private static void toLittleEndian(Layout layout, List<Piece> pieces, byte[] target) {
    int size = layout.dtype().bytes();
    for (Piece piece : pieces) {
      if (piece.storage().order() == StorageRef.Endian.BIG) {
        Cast.toLittleEndian(layout.dtype(), target, piece.target(), piece.length() / size);
      }
    }
  }
}
