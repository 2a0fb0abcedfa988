package dev.reweave.format.safetensors;

import dev.reweave.storage.InputFile;
import dev.reweave.storage.RandomAccess;
import dev.reweave.testing.Locations;
import java.io.EOFException;
import java.util.Objects;

/** A file that is a byte array. */
final class BytesAccess implements RandomAccess {
  static final String URI = "mem:/m.safetensors";

  private final byte[] bytes;

  BytesAccess(byte[] bytes) {
    this.bytes = bytes;
  }

  @Override
  public InputFile file() {
    return new InputFile(Locations.of(URI), bytes.length, 0);
  }

  @Override
  public void readFully(long position, byte[] buffer, int offset, int length) throws EOFException {
    Objects.checkFromIndexSize(offset, length, buffer.length);
    if (position + length > bytes.length) {
      throw new EOFException(URI);
    }
    System.arraycopy(bytes, Math.toIntExact(position), buffer, offset, length);
  }

  @Override
  public void close() {}
}
