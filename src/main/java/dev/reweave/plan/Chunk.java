package dev.reweave.plan;

import java.io.Serializable;

/**
 * A byte range of one file: the unit of work of one task.
 *
 * @param file index of the file in the plan
 * @param number of the chunk in its file, from 1
 * @param from first byte in the file, a multiple of {@link #ALIGNMENT}
 * @param to byte behind the last
 */
public record Chunk(int file, int number, long from, long to) implements Serializable {
  /**
   * No element crosses a multiple of this many bytes: headers are padded to it, and shards hold
   * their tensors by descending size of element.
   */
  public static final long ALIGNMENT = 8;

  public Chunk {
    if (number < 1 || from < 0 || to <= from || from % ALIGNMENT != 0) {
      throw new IllegalArgumentException("chunk [" + from + ", " + to + ") of file " + file);
    }
  }

  /** Length in bytes. */
  public long length() {
    return to - from;
  }
}
