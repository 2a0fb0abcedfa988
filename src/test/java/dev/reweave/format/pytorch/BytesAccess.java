package dev.reweave.format.pytorch;

import dev.reweave.storage.InputFile;
import dev.reweave.storage.RandomAccess;
import dev.reweave.testing.Locations;
import java.io.EOFException;

/** Reads a file that is in memory. */
final class BytesAccess implements RandomAccess {
  private final byte[] bytes;

  BytesAccess(byte[] bytes) {
    this.bytes = bytes;
  }

  @Override
  public InputFile file() {
    return new InputFile(Locations.of("memory:/file.pt"), bytes.length, 0);
  }

  @Override
  public void readFully(long position, byte[] buffer, int offset, int length) throws EOFException {
    if (length > bytes.length - position) {
      throw new EOFException("memory:/file.pt");
    }
    System.arraycopy(bytes, (int) position, buffer, offset, length);
  }

  @Override
  public void close() {}
}
