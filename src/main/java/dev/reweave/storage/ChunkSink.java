package dev.reweave.storage;

import java.io.Closeable;
import java.io.IOException;
import java.util.List;

/**
 * Takes the bytes of one part of a staged file, in order. Nothing counts before {@link #commit()};
 * closing without it leaves at most rubbish that the next attempt replaces, and nothing under way.
 */
public interface ChunkSink extends Closeable {
  /** Appends {@code data[offset, offset + length)}, in bytes. */
  void write(byte[] data, int offset, int length) throws IOException;

  /**
   * Says that all bytes of the part are written, and makes them count.
   *
   * @return what finds them again: several where a part is sent in pieces
   */
  List<PartReceipt> commit() throws IOException;
}
