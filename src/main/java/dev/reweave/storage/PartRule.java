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
    /** In the memory of the task. */
    WHOLE_PART
  }

  /** Any byte range, in place. */
  public static final PartRule FREE =
      new PartRule(1, Long.MAX_VALUE, Integer.MAX_VALUE, Buffering.NONE);

  /** Parts of up to 5 GiB, and not so many that the name node would suffer. */
  static final PartRule CONCATENATED = new PartRule(1 << 20, 5L << 30, 10_000, Buffering.NONE);

  /**
   * The limits of S3's multipart upload, which other object stores share or exceed. S3 takes parts
   * of up to 5 GiB; one that is held in memory ends at what an array can hold.
   */
  static final PartRule MULTIPART =
      new PartRule(5 << 20, 2047L << 20, 10_000, Buffering.WHOLE_PART);

  /** One part, of any length. */
  static final PartRule WHOLE = new PartRule(1, Long.MAX_VALUE, 1, Buffering.NONE);

  /**
   * Length of the parts of a file.
   *
   * @param fileBytes length of the file
   * @param wanted wanted length of a part
   * @param alignment the answer is a multiple of it, but for a file that is one part
   */
  public long partBytes(long fileBytes, long wanted, long alignment) {
    long usable = Math.min(wanted, mostBytes);
    if (mostParts == 1 || fileBytes <= usable) {
      return fileBytes;
    }
    long fewEnough = (fileBytes + mostParts - 1) / mostParts;
    long bytes = Math.max(Math.max(leastBytes, usable), fewEnough);
    bytes = (bytes + alignment - 1) / alignment * alignment;
    if (bytes > mostBytes) {
      throw new IllegalArgumentException(
          "a file of " + fileBytes + " bytes does not fit in " + mostParts + " parts");
    }
    return bytes;
  }
}
