package dev.reweave.gather;

import dev.reweave.plan.Chunk;
import dev.reweave.storage.PartReceipt;
import dev.reweave.tensor.Agreement;
import dev.reweave.tensor.ValueFacts;
import java.io.Serializable;
import java.util.List;

/**
 * What became of one chunk.
 *
 * @param receipts what the store gave for it
 * @param crc32c checksum of the chunk's bytes
 * @param tensors what it means for the tensors in it
 * @param reads what was read for it
 * @param elementsCast elements that changed their type
 */
public record ChunkResult(
    Chunk chunk,
    List<PartReceipt> receipts,
    int crc32c,
    List<TensorShare> tensors,
    Reads reads,
    long elementsCast)
    implements Serializable {

  /**
   * What one chunk adds to what is known of one tensor.
   *
   * @param segment index of the tensor's segment in its file
   * @param crc32 exclusive or of the written pieces' shares, see {@code Checksum}; 0 where the file
   *     does not need it
   * @param values whether they are ill
   * @param differences elements that should be the same in several copies and are not
   * @param proof what comparing them with a second copy came to
   * @param digest what they hold; its statistics are of no elements where nobody asked for them
   */
  public record TensorShare(
      int segment,
      int crc32,
      ValueFacts values,
      long differences,
      Agreement proof,
      TensorDigest digest)
      implements Serializable {
    /** Of both chunks. */
    public TensorShare plus(TensorShare other) {
      return new TensorShare(
          segment,
          crc32 ^ other.crc32(),
          values.plus(other.values()),
          differences + other.differences(),
          proof.plus(other.proof()),
          digest.plus(other.digest()));
    }
  }
}
