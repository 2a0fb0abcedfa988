package dev.reweave.gather;

import dev.reweave.storage.ReadRange;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;

/**
 * Reads ranges of storages, near ones with one request, and takes them apart. In two steps, between
 * which a store that answers late does its work.
 */
final class StoredReads {
  /** Bytes between two needed ranges that cost less to read than a request of their own. */
  private static final int NEAR = 16 << 10;

  /**
   * Most bytes of the requests that cover several ranges and are made at once: all of a window, as
   * a request that waits for room is behind all those of the windows that come later.
   */
  static final int MOST_JOINED = Buffers.SIZE;

  /** Most reads that are begun and not taken yet: a window's long ranges, or some of many short. */
  private static final int MOST_BEGUN = LateReads.AT_ONCE;

  /** Ranges that are near each other in one file, and the range that covers them. */
  private record Request(List<StoredRange> ranges, ReadRange range, OpenFiles.Reading reading) {}

  private final OpenFiles files;
  private final ReadTally tally;
  private final Deque<Request> begun = new ArrayDeque<>();
  private List<StoredRange> ranges = List.of();
  private int next;
  private int reads;
  private byte[] joined = new byte[0];
  private int joinedBytes;

  /** Reads from the files of one task, which are told to the tally. */
  StoredReads(OpenFiles files, ReadTally tally) {
    this.files = files;
    this.tally = tally;
  }

  /**
   * Begins to read.
   *
   * @param sorted by file and place
   */
  void begin(List<StoredRange> sorted) {
    ranges = sorted;
    next = 0;
    begun.clear();
    reads = 0;
    joinedBytes = 0;
    proceed();
  }

  /** Reads all that was begun, and puts it where it goes. */
  void finish() {
    while (!begun.isEmpty()) {
      Request request = begun.removeFirst();
      request.reading().await();
      reads -= request.reading().requests();
      take(request);
      if (begun.isEmpty()) {
        joinedBytes = 0;
      }
      proceed();
    }
  }

  /** Gives its buffer to the tasks that follow. */
  void release() {
    Buffers.give(joined);
  }

  private void proceed() {
    while (next < ranges.size() && reads < MOST_BEGUN) {
      int end = endOfNear();
      StoredRange first = ranges.get(next);
      int length = Math.toIntExact(reach(end) - first.filePosition());
      boolean alone = end == next + 1;
      if (!alone && joinedBytes + length > MOST_JOINED && !begun.isEmpty()) {
        return; // until the buffer is free
      }
      if (!alone && joined.length == 0) {
        joined = Buffers.take(MOST_JOINED);
      }
      ReadRange range =
          alone
              ? new ReadRange(first.filePosition(), first.slice().buffer(), first.target(), length)
              : new ReadRange(first.filePosition(), joined, joinedBytes, length);
      joinedBytes += alone ? 0 : length;
      OpenFiles.Reading reading = files.begin(first.file(), range);
      begun.add(new Request(ranges.subList(next, end), range, reading));
      reads += reading.requests();
      next = end;
    }
  }

  private int endOfNear() {
    StoredRange first = ranges.get(next);
    long reach = first.fileEnd();
    int end = next + 1;
    while (end < ranges.size() && joins(first, reach, ranges.get(end))) {
      reach = Math.max(reach, ranges.get(end).fileEnd());
      end++;
    }
    return end;
  }

  private boolean joins(StoredRange first, long reach, StoredRange range) {
    return range.file() == first.file()
        && range.filePosition() - reach <= NEAR
        && range.fileEnd() - first.filePosition() <= MOST_JOINED;
  }

  private long reach(int end) {
    long reach = 0;
    for (StoredRange range : ranges.subList(next, end)) {
      reach = Math.max(reach, range.fileEnd());
    }
    return reach;
  }

  private void take(Request request) {
    ReadRange range = request.range();
    tally.requests(request.reading().requests(), range.length());
    for (StoredRange piece : request.ranges()) {
      if (range.buffer() != piece.slice().buffer()) {
        int at = range.offset() + (int) (piece.filePosition() - range.position());
        System.arraycopy(
            range.buffer(), at, piece.slice().buffer(), piece.target(), piece.length());
      }
    }
    takeSpans(request);
  }

  /** Checksums of adjacent pieces are taken at once: shares of tiny pieces are costly. */
  private void takeSpans(Request request) {
    List<StoredRange> pieces = request.ranges();
    ReadRange range = request.range();
    int start = 0;
    while (start < pieces.size()) {
      StoredRange first = pieces.get(start);
      boolean once = first.slice().isReadOnce();
      int end = start + 1;
      while (end < pieces.size()
          && pieces.get(end).storage().equals(first.storage())
          && pieces.get(end).slice().isReadOnce() == once
          && pieces.get(end).filePosition() == pieces.get(end - 1).fileEnd()) {
        end++;
      }
      int length = (int) (pieces.get(end - 1).fileEnd() - first.filePosition());
      int at = range.offset() + (int) (first.filePosition() - range.position());
      if (once) {
        tally.take(first.storage(), first.position(), range.buffer(), at, length);
      }
      start = end;
    }
  }
}
