package dev.reweave.storage;

import java.io.Closeable;
import java.io.IOException;
import java.util.List;

/** Positioned reads of one file whose length is known. For one thread at a time. */
public interface RandomAccess extends Closeable {
  /** The file that is read. */
  InputFile file();

  /**
   * Fills {@code buffer[offset, offset + length)} from {@code position}, both in bytes.
   *
   * @throws java.io.EOFException if the file ends before {@code position + length}
   */
  void readFully(long position, byte[] buffer, int offset, int length) throws IOException;

  /**
   * Fills all ranges, at once where the store can do that.
   *
   * @throws java.io.EOFException if the file ends before one of them does
   */
  default void readFully(List<ReadRange> ranges) throws IOException {
    for (ReadRange range : ranges) {
      readFully(range.position(), range.buffer(), range.offset(), range.length());
    }
  }

  /** Gives up what is held for a next read that goes on where the last one ended. */
  default void rest() {}

  /**
   * Bytes that whoever reads all of the file asks for at a time: as many as make a request worth
   * its while, and few enough for the memory of a task.
   */
  default int stride() {
    return 8 << 20;
  }

  /** How much of the file may be structure. */
  default MetadataLimit limit() {
    return MetadataLimit.DEFAULT;
  }

  /** The same file, of which no more may be structure. */
  default RandomAccess limitedTo(MetadataLimit limit) {
    return limit.equals(limit()) ? this : new LimitedAccess(this, limit);
  }

  /** Reads that failed and were made again so far, as far as the store tells. */
  default long repeatedReads() {
    return 0;
  }

  /**
   * A part of the file, to be read as if it were a file. Closing it does nothing.
   *
   * @param name what it is, for messages: stands behind the file's address
   * @param start its first byte
   * @param length in bytes
   * @throws IndexOutOfBoundsException if it leaves the file
   */
  default RandomAccess part(String name, long start, long length) {
    return new PartAccess(this, name, start, length);
  }
}
