package dev.reweave.plan;

import dev.reweave.common.BoundedMatch;
import dev.reweave.storage.ByteSize;
import dev.reweave.tensor.DType;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/**
 * How the result should look.
 *
 * @param dtype type of the floating-point tensors
 * @param maxShardBytes most bytes of tensors in one shard, but for a tensor that is bigger
 * @param weightsName first part of file names, such as {@code model}; empty for the base's, the
 *     mapping's, an adapter's or the format's own
 * @param chunkBytes most bytes of the work of one task
 * @param format kind of the weight files
 * @param sharding how tensors are spread over files
 * @param only regular expression of a part of the names of tensors that are wanted; empty for all
 */
public record PlanOptions(
    TargetType dtype,
    long maxShardBytes,
    Optional<String> weightsName,
    long chunkBytes,
    Format format,
    Sharding sharding,
    Optional<String> only) {
  /** Most bytes of one shard, as people write it. */
  public static final String MAX_SHARD_SIZE = "5GB";

  /** Most bytes of one task's work, as people write it. */
  public static final String CHUNK_SIZE = "64MB";

  /** As {@code zero_to_fp32.py} does: everything in float32, in shards of that size. */
  public static final PlanOptions DEFAULTS =
      new PlanOptions(
          new TargetType.Fixed(DType.F32),
          ByteSize.parse(MAX_SHARD_SIZE),
          Optional.empty(),
          ByteSize.parse(CHUNK_SIZE),
          Format.SAFETENSORS,
          Sharding.BY_SIZE,
          Optional.empty());

  /** Fewest bytes of a chunk: below that, the tasks would cost more than their work. */
  public static final long LEAST_CHUNK_BYTES = 64_000;

  /** Checks that all can be done. */
  public PlanOptions {
    if (maxShardBytes <= 0) {
      throw new IllegalArgumentException("shards of at most " + maxShardBytes + " bytes");
    }
    if (chunkBytes < LEAST_CHUNK_BYTES) {
      throw new IllegalArgumentException(
          "chunks of " + chunkBytes + " bytes: at least " + LEAST_CHUNK_BYTES + " are needed");
    }
    weightsName.ifPresent(FileNames::requireName);
    only.ifPresent(PlanOptions::pattern);
    chunkBytes -= chunkBytes % Chunk.ALIGNMENT;
  }

  /** These options with shards and chunks of other sizes. */
  public PlanOptions withSizes(long newMaxShardBytes, long newChunkBytes) {
    return new PlanOptions(
        dtype, newMaxShardBytes, weightsName, newChunkBytes, format, sharding, only);
  }

  /** These options with another type of floating-point tensors. */
  public PlanOptions withType(TargetType newType) {
    return new PlanOptions(newType, maxShardBytes, weightsName, chunkBytes, format, sharding, only);
  }

  /**
   * Whether a tensor of this name in the result is wanted.
   *
   * @throws dev.reweave.common.ReweaveException if the expression takes too long to tell
   */
  public boolean wants(String name) {
    return only.isEmpty() || BoundedMatch.within(pattern(only.get()), name, "--only");
  }

  private static Pattern pattern(String regex) {
    try {
      return Pattern.compile(regex);
    } catch (PatternSyntaxException e) {
      throw new IllegalArgumentException(
          "--only "
              + BoundedMatch.shown(regex)
              + " is no regular expression: "
              + e.getDescription(),
          e);
    }
  }
}
