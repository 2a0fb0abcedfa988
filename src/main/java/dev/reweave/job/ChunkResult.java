package dev.reweave.job;

import dev.reweave.plan.Chunk;
import dev.reweave.storage.PartReceipt;
import java.io.Serializable;
import java.util.List;

/**
 * What became of one chunk.
 *
 * @param receipt what the store gave for it
 * @param crc32c checksum of the chunk's bytes
 * @param shares what was read of each storage
 * @param bytesRead bytes fetched from input files
 * @param requests number of reads
 */
record ChunkResult(
    Chunk chunk,
    PartReceipt receipt,
    int crc32c,
    List<ReadTally.StorageShare> shares,
    long bytesRead,
    long requests)
    implements Serializable {}
