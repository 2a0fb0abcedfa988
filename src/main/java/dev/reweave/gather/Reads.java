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
 */
public record Reads(List<ReadTally.StorageShare> shares, long bytes, long requests, long repeated)
    implements Serializable {}
