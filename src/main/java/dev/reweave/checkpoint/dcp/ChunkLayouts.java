package dev.reweave.checkpoint.dcp;

import dev.reweave.tensor.GridLayout;
import dev.reweave.tensor.Layout;
import dev.reweave.tensor.StorageRef;
import dev.reweave.tensor.StorageRef.Endian;
import dev.reweave.tensor.StoredLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/**
 * Where the elements of chunks lie, and of the tensors that they make up.
 *
 * @param found by chunk
 */
record ChunkLayouts(Map<StoredChunk, StoredLayout> found) {
  StoredLayout of(DcpTensor.Chunk chunk) {
    return found.get(chunk.stored());
  }

  /**
   * @throws IllegalArgumentException if the chunks do not make it up
   */
  Layout of(DcpTensor tensor) {
    return of(tensor, this::of);
  }

  /**
   * A tensor that is cut as this one is, and whose elements lie elsewhere.
   *
   * @param layouts of its chunks
   * @throws IllegalArgumentException if the chunks do not make it up
   */
  static Layout of(DcpTensor tensor, Function<DcpTensor.Chunk, ? extends Layout> layouts) {
    if (tensor.shape().elements() == 0) {
      StorageRef nothing =
          new StorageRef(0, tensor.name(), 0, tensor.dtype(), 0, Endian.LITTLE, StorageRef.NO_CRC);
      return StoredLayout.contiguous(nothing, 0, tensor.shape());
    }
    List<GridLayout.Block> blocks = new ArrayList<>();
    for (DcpTensor.Chunk chunk : tensor.chunks()) {
      blocks.add(
          new GridLayout.Block(chunk.offsets(), chunk.stored().sizes(), layouts.apply(chunk)));
    }
    GridLayout grid = new GridLayout(tensor.shape(), blocks);
    return blocks.size() == 1 ? layouts.apply(tensor.chunks().get(0)) : grid;
  }
}
