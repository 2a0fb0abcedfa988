package dev.reweave.checkpoint.dcp;

import dev.reweave.tensor.DType;
import dev.reweave.tensor.Shape;
import java.util.List;

/**
 * A tensor as {@code .metadata} describes it.
 *
 * @param name its whole name, with all keys that lead to it
 * @param chunks those with elements, each once; for a tensor without elements, none
 */
record DcpTensor(String name, DType dtype, Shape shape, List<Chunk> chunks) {
  /**
   * A block of a tensor and where it is stored.
   *
   * @param offsets first index along each dimension
   * @param file name of the file
   */
  record Chunk(List<Long> offsets, String file, StoredChunk stored) {}
}
