package dev.reweave.plan;

import dev.reweave.tensor.DType;
import java.util.Optional;

/**
 * How the result should look.
 *
 * @param dtype type of all floating-point tensors; empty to keep the stored ones
 * @param maxShardBytes most bytes of tensors in one shard, but for a tensor that is bigger
 * @param weightsName first part of file names, such as {@code model}
 * @param chunkBytes most bytes of the work of one task
 */
public record PlanOptions(
    Optional<DType> dtype, long maxShardBytes, String weightsName, long chunkBytes) {
  /** As {@code zero_to_fp32.py} does: everything in float32, shards of 5 GB. */
  public static final PlanOptions DEFAULTS =
      new PlanOptions(Optional.of(DType.F32), 5_000_000_000L, "model", 64_000_000L);

  /** Fewest bytes of a chunk: below that, the tasks would cost more than their work. */
  public static final long LEAST_CHUNK_BYTES = 64_000;

  public PlanOptions {
    if (maxShardBytes <= 0) {
      throw new IllegalArgumentException("shards of at most " + maxShardBytes + " bytes");
    }
    if (chunkBytes < LEAST_CHUNK_BYTES) {
      throw new IllegalArgumentException(
          "chunks of " + chunkBytes + " bytes: at least " + LEAST_CHUNK_BYTES + " are needed");
    }
    if (!weightsName.matches("[A-Za-z0-9_][A-Za-z0-9_.-]*")) {
      throw new IllegalArgumentException("'" + weightsName + "' cannot begin a file name");
    }
    chunkBytes -= chunkBytes % Chunk.ALIGNMENT;
  }
}
