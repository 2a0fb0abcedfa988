package dev.reweave.plan;

import java.util.List;

/**
 * How long chunks are, so that tasks which run side by side end side by side: about as many bytes
 * in each, and as many of them as there are tasks at a time, or a multiple of that.
 */
final class EvenChunks {
  /** Most chunks that a task slot gets where they could be longer; evens out slow machines. */
  private static final int ROUNDS = 8;

  /** Shorter chunks would wait for the store more than they move. */
  private static final long LEAST_BYTES = 8_000_000;

  /** Lengths that are tried: the longest file in one chunk, in two, and so on. */
  private static final int MOST_OF_A_FILE = 10_000;

  private final List<Long> files;
  private final long mostBytes;

  /**
   * Chunks of these files.
   *
   * @param files their lengths in bytes
   * @param mostBytes of one chunk
   */
  EvenChunks(List<Long> files, long mostBytes) {
    this.files = files;
    this.mostBytes = mostBytes;
  }

  /**
   * Most bytes of a chunk of any file.
   *
   * @param slots how many tasks run at the same time
   */
  long bytes(int slots) {
    long total = files.stream().mapToLong(Long::longValue).sum();
    long needed = ceil(total, mostBytes * slots);
    long useful = Math.min(ROUNDS, total / LEAST_BYTES / slots);
    long wanted = Math.max(Math.max(needed, useful), 1) * slots;
    long least = Math.min(LEAST_BYTES, mostBytes);
    long most = mostBytes;
    while (least < most) {
      long middle = (least + most) / 2 / Chunk.ALIGNMENT * Chunk.ALIGNMENT;
      if (count(middle) <= wanted) {
        most = middle;
      } else {
        least = middle + Chunk.ALIGNMENT;
      }
    }
    return most;
  }

  /**
   * The same where each chunk ends with a wait, in which a task could have made more: the length
   * with which all are done first. Longer chunks wait less often, and shorter ones leave fewer
   * tasks idle at the end.
   *
   * @param waited bytes that could be made in the wait; 0 if there is none
   */
  long bytes(int slots, long waited) {
    if (waited == 0) {
      return bytes(slots);
    }
    long longest = files.stream().mapToLong(Long::longValue).max().orElse(0);
    long best = mostBytes;
    long least = Long.MAX_VALUE;
    for (long each = ceil(longest, mostBytes); each <= MOST_OF_A_FILE; each++) {
      long bytes = Math.min(mostBytes, bytes(longest, ceil(longest, Math.max(1, each))));
      long taken = ceil(count(bytes), slots) * (bytes + waited);
      if (taken < least) {
        least = taken;
        best = bytes;
      }
      if (bytes <= LEAST_BYTES) {
        break;
      }
    }
    return best;
  }

  /** The length of all chunks of a file but the last, which is hardly shorter; most as given. */
  static long bytes(long file, long most) {
    long each = ceil(file, Math.max(1, ceil(file, most)));
    return Math.max(1, ceil(each, Chunk.ALIGNMENT)) * Chunk.ALIGNMENT;
  }

  private long count(long bytes) {
    return files.stream().mapToLong(file -> ceil(file, bytes)).sum();
  }

  private static long ceil(long dividend, long divisor) {
    return (dividend + divisor - 1) / divisor;
  }
}
