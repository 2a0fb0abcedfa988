package dev.reweave.plan;

import dev.reweave.safetensors.SafetensorsIndex;
import dev.reweave.storage.InputFile;
import dev.reweave.storage.PartRule;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * All that a conversion will do, before a byte of weights is read: which shards, and where each
 * byte of them comes from. Grows with the numbers of tensors and files, not with their product.
 *
 * @param files input files, by {@code StorageRef.file()}
 * @param shards in order of their names
 * @param indexName name of the index file
 * @param index what is in it; empty where one shard holds all
 * @param chunkBytes most bytes of one chunk
 */
public record ConversionPlan(
    List<InputFile> files,
    List<PlannedShard> shards,
    String indexName,
    Optional<SafetensorsIndex> index,
    long chunkBytes) {

  public ConversionPlan {
    files = List.copyOf(files);
    shards = List.copyOf(shards);
  }

  /** The part that tasks need. */
  public Work work() {
    return new Work(files, shards);
  }

  /** What is sent to every task, once. */
  public record Work(List<InputFile> files, List<PlannedShard> shards) implements Serializable {}

  /**
   * All chunks, shard after shard.
   *
   * @param rule what the output's store can put together
   */
  public List<Chunk> chunks(PartRule rule) {
    List<Chunk> chunks = new ArrayList<>();
    for (int s = 0; s < shards.size(); s++) {
      long length = shards.get(s).length();
      long step = rule.partBytes(length, chunkBytes, Chunk.ALIGNMENT);
      int number = 1;
      for (long from = 0; from < length; from += step) {
        chunks.add(new Chunk(s, number++, from, Math.min(length, from + step)));
      }
    }
    return chunks;
  }

  /** Number of tensors in all shards. */
  public int tensors() {
    return shards.stream().mapToInt(s -> s.layouts().size()).sum();
  }

  /** Bytes of weights that will be read. */
  public long bytesToRead() {
    return shards.stream().mapToLong(PlannedShard::bytesToRead).sum();
  }

  /** Bytes of shards that will be written. */
  public long bytesToWrite() {
    return shards.stream().mapToLong(PlannedShard::length).sum();
  }
}
