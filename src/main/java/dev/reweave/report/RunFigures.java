package dev.reweave.report;

import java.util.List;

/**
 * What running a plan took and gave.
 *
 * @param bytesRead bytes fetched from input files' weights
 * @param bytesNeeded bytes of the weights that were converted, where they lie
 * @param requests number of reads
 * @param resumedShards shards that an earlier, killed run had finished
 * @param storagesChecked torch storages whose CRC-32 was compared with the saved one
 * @param storagesUnchecked torch storages that have none, or were read in part
 * @param crc32c of each shard, in the plan's order
 */
public record RunFigures(
    long bytesRead,
    long bytesNeeded,
    long requests,
    int resumedShards,
    int storagesChecked,
    int storagesUnchecked,
    List<Integer> crc32c) {}
