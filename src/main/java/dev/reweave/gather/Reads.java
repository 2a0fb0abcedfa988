package dev.reweave.gather;

import java.io.Serializable;
import java.util.List;

/**
 * What one task has read.
 *
 * @param shares of each storage, for its check
 * @param bytes fetched from input files
 * @param requests number of reads
 * @param repeated how many of them failed and were made again, as far as the stores tell
 * @param waits what was waited for the files that were read most slowly
 */
public record Reads(
    List<ReadTally.StorageShare> shares, long bytes, long requests, long repeated, List<Wait> waits)
    implements Serializable {
  /**
   * What was waited for one file.
   *
   * @param file its index in the plan
   * @param bytes that were read of it
   * @param nanos that all its reads took, in nanoseconds
   */
  public record Wait(int file, long bytes, long nanos) implements Serializable {
    double nanosPerByte() {
      return (double) nanos / bytes;
    }
  }
}
