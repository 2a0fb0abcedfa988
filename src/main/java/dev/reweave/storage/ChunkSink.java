package dev.reweave.storage;

import java.io.Closeable;
import java.io.IOException;

/**
 * Takes the bytes of one chunk of a staged file, in order. Nothing counts before {@link #commit()};
 * closing without it leaves at most rubbish that the next attempt replaces.
 */
public interface ChunkSink extends Closeable {
  /** Appends {@code data[offset, offset + length)}, in bytes. */
  void write(byte[] data, int offset, int length) throws IOException;

  /** Says that all bytes of the chunk are written, and makes them count. */
  void commit() throws IOException;
}
