package dev.reweave.job;

import dev.reweave.storage.ReadRange;
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

  /** Pieces that are near each other in one file, and the range that covers them. */
  private record Request(List<Piece> pieces, ReadRange range) {
    int file() {
      return pieces.get(0).storage().file();
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
    List<Piece> pieces = pieces(layout, from, to, offset);
    List<Request> requests = new ArrayList<>();
    int filled = 0;
    int start = 0;
    while (start < pieces.size()) {
      int end = endOfNear(pieces, start);
      Piece first = pieces.get(start);
      int length = Math.toIntExact(reach(pieces, start, end) - first.filePosition());
      boolean alone = end == start + 1;
      boolean full = !alone && filled + length > MOST_JOINED;
      if (!requests.isEmpty() && (full || requests.get(0).file() != first.storage().file())) {
        fetch(requests, target);
        requests.clear();
        filled = 0;
      }
      if (!alone && joined.length == 0) {
        joined = new byte[MOST_JOINED];
      }
      ReadRange range =
          alone
              ? new ReadRange(first.filePosition(), target, first.target(), length)
              : new ReadRange(first.filePosition(), joined, filled, length);
      filled += alone ? 0 : length;
      requests.add(new Request(pieces.subList(start, end), range));
      start = end;
    }
    if (!requests.isEmpty()) {
      fetch(requests, target);
    }
    toLittleEndian(layout, pieces, target);
  }

  private static List<Piece> pieces(Layout layout, long from, long to, int offset) {
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
    return pieces;
  }

  private static int endOfNear(List<Piece> pieces, int start) {
    Piece first = pieces.get(start);
    long reach = first.fileEnd();
    int end = start + 1;
    while (end < pieces.size() && joins(first, reach, pieces.get(end))) {
      reach = Math.max(reach, pieces.get(end).fileEnd());
      end++;
    }
    return end;
  }

  private static boolean joins(Piece first, long reach, Piece next) {
    return next.storage().file() == first.storage().file()
        && next.filePosition() - reach <= NEAR
        && next.fileEnd() - first.filePosition() <= MOST_JOINED;
  }

  private static long reach(List<Piece> pieces, int start, int end) {
    long reach = 0;
    for (Piece piece : pieces.subList(start, end)) {
      reach = Math.max(reach, piece.fileEnd());
    }
    return reach;
  }

  /** Reads all requests, which are of one file, and takes their pieces apart. */
  private void fetch(List<Request> requests, byte[] target) {
    files.readFully(requests.get(0).file(), requests.stream().map(Request::range).toList());
    for (Request request : requests) {
      ReadRange range = request.range();
      tally.request(range.length());
      for (Piece piece : request.pieces()) {
        if (range.buffer() != target) {
          int at = range.offset() + (int) (piece.filePosition() - range.position());
          System.arraycopy(range.buffer(), at, target, piece.target(), piece.length());
        }
      }
      takeSpans(request);
    }
  }

  /** Checksums of adjacent pieces are taken at once: shares of tiny pieces are costly. */
  private void takeSpans(Request request) {
    List<Piece> pieces = request.pieces();
    ReadRange range = request.range();
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
      int at = range.offset() + (int) (first.filePosition() - range.position());
      tally.take(first.storage(), first.position(), range.buffer(), at, length);
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
