package dev.reweave.fuzz;

import dev.reweave.storage.InputFile;
import dev.reweave.storage.RandomAccess;
import dev.reweave.testing.Locations;
import java.io.EOFException;

/** A file of bytes in memory, and behind them zeros that take no memory. */
final class MemoryFile implements RandomAccess {
  private final InputFile file;
  private final byte[] bytes;

  /**
   * @param length of the file, at least that of {@code bytes}
   */
  MemoryFile(String address, byte[] bytes, long length) {
    this.file = new InputFile(Locations.of(address), length, 0);
    this.bytes = bytes;
  }

  MemoryFile(byte[] bytes) {
    this("memory:/input", bytes, bytes.length);
  }

  @Override
  public InputFile file() {
    return file;
  }

  @Override
  public void readFully(long position, byte[] buffer, int offset, int length) throws EOFException {
    if (length > file.length() - position) {
      throw new EOFException(file.uri());
    }
    for (int i = 0; i < length; i++) {
      long at = position + i;
      buffer[offset + i] = at < bytes.length ? bytes[(int) at] : 0;
    }
  }

  @Override
  public void close() {}
}
