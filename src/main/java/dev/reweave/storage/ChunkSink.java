package dev.reweave.storage;

import java.io.Closeable;
import java.io.IOException;

/**
 * Takes the bytes of one part of a staged file, in order. Nothing counts before {@link #commit()};
 * closing without it leaves at most rubbish that the next attempt replaces.
 */
public interface ChunkSink extends Closeable {
  /** Appends {@code data[offset, offset + length)}, in bytes. */
  void write(byte[] data, int offset, int length) throws IOException;

  /** Says that all bytes of the part are written, and makes them count. */
  PartReceipt commit() throws IOException;
}
