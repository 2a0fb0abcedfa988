package dev.reweave.job;

import dev.reweave.plan.Chunk;
import java.io.Serializable;
import java.util.List;

/**
 * What became of one chunk.
 *
 * @param crc32c checksum of the chunk's bytes
 * @param shares what was read of each storage
 * @param bytesRead bytes fetched from input files
 * @param requests number of reads
 */
record ChunkResult(
    Chunk chunk, int crc32c, List<ReadTally.StorageShare> shares, long bytesRead, long requests)
    implements Serializable {}
