package dev.reweave.storage;

import java.util.Objects;

/** A byte range of a file and where it goes in memory. */
public final class ReadRange {
  private final long position;
  private final byte[] buffer;
  private final int offset;
  private final int length;

  /**
   * Bytes {@code [position, position + length)} of a file, to {@code buffer[offset…]}.
   *
   * @throws IndexOutOfBoundsException if they do not fit there
   */
  public ReadRange(long position, byte[] buffer, int offset, int length) {
    Objects.checkFromIndexSize(offset, length, buffer.length);
    this.position = position;
    this.buffer = buffer;
    this.offset = offset;
    this.length = length;
  }

  /** First byte in the file. */
  public long position() {
    return position;
  }

  /** Length in bytes. */
  public int length() {
    return length;
  }

  /** Where the bytes go. */
  public byte[] buffer() {
    return buffer;
  }

  /** Where they go in {@link #buffer()}. */
  public int offset() {
    return offset;
  }
}
