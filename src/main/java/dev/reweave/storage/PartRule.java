package dev.reweave.storage;

import java.io.Serializable;

/**
 * How a store lets one file be put together from parts.
 *
 * @param leastBytes fewest bytes of a part that is not the last
 * @param mostBytes most bytes of a part
 * @param mostParts most parts of a file; 1 where a store knows only whole files
 * @param buffering where a part is until it is complete
 */
public record PartRule(long leastBytes, long mostBytes, int mostParts, Buffering buffering)
    implements Serializable {

  /** Where the bytes of a part are until it is complete. */
  public enum Buffering {
    /** In the store. */
    NONE,
    /** In the memory of the task, a few pieces at a time: see {@link #heldBytes}. */
    PIECES
  }

  /** About what a piece has: a request costs little beside it, and the last one is soon sent. */
  private static final long PIECE = 5 << 20;

  /** Two or three pieces: one arrives in the time in which some are read and cast. */
  private static final long WAITED = 16 << 20;

  /** One that is filled, and those that are on their way to the store. */
  static final int PIECES_HELD = 12;

  /** Enough that starting a task counts little, and little enough to be shared out evenly. */
  private static final long USUAL = 64_000_000;

  /** What waits at the end of a part waits less often; no memory is held for it. */
  private static final long USUAL_WHERE_IT_WAITS = 256_000_000;

  /** Any byte range, in place. */
  public static final PartRule FREE =
      new PartRule(1, Long.MAX_VALUE, Integer.MAX_VALUE, Buffering.NONE);

  /** Parts of up to 5 GiB, and not so many that the name node would suffer. */
  static final PartRule CONCATENATED = new PartRule(1 << 20, 5L << 30, 10_000, Buffering.NONE);

  /**
   * The limits of S3's multipart upload, which other object stores share or exceed. A part is sent
   * in pieces, each of them a part of S3's own, which are alike but for the last of a file, as some
   * stores want it. S3 takes up to 5 GiB; what is held in memory ends at what an array can hold.
   */
  static final PartRule MULTIPART = new PartRule(5 << 20, 2047L << 20, 10_000, Buffering.PIECES);

  /** One part, of any length. */
  static final PartRule WHOLE = new PartRule(1, Long.MAX_VALUE, 1, Buffering.NONE);

  /**
   * Length of the parts of a file.
   *
   * @param fileBytes length of the file
   * @param wanted wanted length of a part
   * @param alignment the answer is a multiple of it, but for a file that is one part, and so is
   *     each of the pieces that it is sent in
   */
  public long partBytes(long fileBytes, long wanted, long alignment) {
    long usable = Math.min(wanted, mostBytes);
    if (mostParts == 1 || fileBytes <= usable) {
      return fileBytes;
    }
    long fewEnough = (fileBytes + mostParts - 1) / mostParts;
    long bytes = Math.max(Math.max(leastBytes, usable), fewEnough);
    long pieces = buffering == Buffering.PIECES ? pieces(bytes, fileBytes) : 1;
    long piece = up((bytes + pieces - 1) / pieces, alignment);
    if (piece > mostBytes) {
      throw new IllegalArgumentException(
          "a file of " + fileBytes + " bytes does not fit in " + mostParts + " parts");
    }
    return piece * pieces;
  }

  /**
   * Length of the pieces that a part is sent in; the last of a file can be shorter.
   *
   * @param partBytes length of the file's parts, the last of which can be shorter
   */
  int pieceBytes(long partBytes, long fileBytes) {
    long pieces = pieces(partBytes, fileBytes);
    // Parts whose length the file's format says are made of fewer, so that all are alike.
    while (partBytes < fileBytes && partBytes % pieces != 0) {
      pieces--;
    }
    return Math.toIntExact((partBytes + pieces - 1) / pieces);
  }

  private long pieces(long partBytes, long fileBytes) {
    long fewEnough = (fileBytes + mostParts - 1) / mostParts;
    long most = partBytes / Math.max(leastBytes, fewEnough);
    long wanted = Math.max(PIECE, fewEnough);
    return Math.max(1, Math.min((partBytes + wanted - 1) / wanted, most));
  }

  /**
   * Bytes that a task holds until the store has them.
   *
   * @param partBytes length of the file's parts
   */
  public long heldBytes(long partBytes, long fileBytes) {
    if (buffering == Buffering.NONE) {
      return 0;
    }
    long pieces = pieces(partBytes, fileBytes);
    return Math.min(partBytes, PIECES_HELD * ((partBytes + pieces - 1) / pieces));
  }

  /**
   * About how many bytes a task could make while it waits for its last pieces to arrive, and for
   * its first bytes; 0 where it does not wait.
   */
  public long waitedBytes() {
    return buffering == Buffering.NONE ? 0 : WAITED;
  }

  /** Most bytes of a part where nobody says another number. */
  public long usualBytes() {
    return waitedBytes() == 0 ? USUAL : USUAL_WHERE_IT_WAITS;
  }

  private static long up(long bytes, long alignment) {
    return (bytes + alignment - 1) / alignment * alignment;
  }
}
