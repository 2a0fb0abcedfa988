package dev.reweave.storage;

import dev.reweave.common.ReweaveException;
import java.io.Serializable;

/**
 * How much of one file may be structure: what is read whole, into memory, before any weights are.
 *
 * @param bytes the most of one piece, such as a pickle, a zip directory or a header
 */
public record MetadataLimit(long bytes) implements Serializable {
  /** As much as memory takes, whatever is asked for: all of it is in one array. */
  private static final long MOST_BYTES = Math.min(256L << 20, Runtime.getRuntime().maxMemory() / 8);

  /** An eighth of the heap, at most 256 MiB. */
  public static final MetadataLimit DEFAULT = new MetadataLimit(Long.MAX_VALUE);

  public MetadataLimit {
    if (bytes <= 0) {
      throw new IllegalArgumentException("a limit of " + bytes + " bytes");
    }
  }

  /**
   * A limit as people write sizes, such as {@code 16MB}.
   *
   * @throws IllegalArgumentException if the text is no size above 0
   */
  public static MetadataLimit parse(String text) {
    return new MetadataLimit(ByteSize.parse(text));
  }

  /** The most bytes that are read: those of the limit, as far as memory takes them. */
  public long mostBytes() {
    return Math.min(bytes, MOST_BYTES);
  }

  /**
   * Refuses a piece that is longer.
   *
   * @param length of the piece in bytes, as far as it is known before it is read
   * @param what it is, for the message
   * @param place where it is
   * @throws ReweaveException if it is longer than the limit
   */
  public void require(long length, String what, String place) {
    if (length <= mostBytes()) {
      return;
    }
    if (length > MOST_BYTES) {
      throw StoreFailures.tooMuchForMemory(what, length, place);
    }
    throw StoreFailures.tooMuchMetadata(what, length, bytes, place);
  }
}
