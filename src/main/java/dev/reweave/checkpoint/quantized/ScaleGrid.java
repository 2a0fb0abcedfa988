package dev.reweave.checkpoint.quantized;

import dev.reweave.tensor.Shape;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * Finds out from shapes which elements of a weight have one scale: all, those of a channel, or
 * those of a block. A scale for each of several blocks says how many there are; how long they are
 * says the config, or, where they divide the weight, the division, as for {@code Fp8Dequantize} of
 * transformers.
 */
final class ScaleGrid {
  /** Of DeepSeek-V3 and all that follow it. */
  private static final long USUAL_BLOCK = 128;

  private final long[] dims;
  private final long[] grid;
  private final List<Long> stated;

  private ScaleGrid(long[] dims, long[] grid, List<Long> stated) {
    this.dims = dims;
    this.grid = grid;
    this.stated = stated;
  }

  /**
   * Lengths of a block for each dimension of a weight.
   *
   * @param stated what a config says of the last two dimensions; empty where none does
   * @return empty if the shapes do not go together, or do not tell
   */
  static Optional<List<Long>> blocks(Shape weight, Shape scales, List<Long> stated) {
    return grid(weight, scales)
        .flatMap(grid -> new ScaleGrid(weight.dims(), grid, stated).blocks());
  }

  /** The number of scales along each dimension: those of fewer dimensions are of the first ones. */
  private static Optional<long[]> grid(Shape weight, Shape scales) {
    long[] grid = new long[weight.rank()];
    Arrays.fill(grid, 1);
    if (scales.elements() == 1) {
      return Optional.of(grid);
    }
    for (int i = 0; i < scales.rank(); i++) {
      long count = scales.dim(i);
      if (i >= grid.length ? count != 1 : count > weight.dim(i)) {
        return Optional.empty();
      }
      if (i < grid.length) {
        grid[i] = count;
      }
      // Without all dimensions, blocks would be of unknown ones.
      if (scales.rank() < grid.length && count != 1 && count != weight.dim(i)) {
        return Optional.empty();
      }
    }
    return Optional.of(grid);
  }

  private Optional<List<Long>> blocks() {
    OptionalLong square = square();
    List<Long> blocks = new ArrayList<>();
    for (int i = 0; i < dims.length; i++) {
      OptionalLong block = block(i, square);
      if (block.isEmpty()) {
        return Optional.empty();
      }
      blocks.add(block.getAsLong());
    }
    return Optional.of(blocks);
  }

  private OptionalLong block(int i, OptionalLong square) {
    if (grid[i] == 1) {
      return OptionalLong.of(Math.max(1, dims[i]));
    }
    if (grid[i] == dims[i]) {
      return OptionalLong.of(1);
    }
    int last = i - (dims.length - 2);
    if (last >= 0 && stated.size() == 2 && fits(i, stated.get(last))) {
      return OptionalLong.of(stated.get(last));
    }
    if (last >= 0 && square.isPresent()) {
      return square;
    }
    return grid[i] > 0 && dims[i] % grid[i] == 0
        ? OptionalLong.of(dims[i] / grid[i])
        : OptionalLong.empty();
  }

  private boolean fits(int i, long block) {
    return (dims[i] + block - 1) / block == grid[i];
  }

  /** The one power of two that fits both last dimensions, the usual one first. */
  private OptionalLong square() {
    int rows = dims.length - 2;
    if (rows < 0 || isOfRows(rows) || isOfRows(rows + 1)) {
      return OptionalLong.empty();
    }
    if (fits(rows, USUAL_BLOCK) && fits(rows + 1, USUAL_BLOCK)) {
      return OptionalLong.of(USUAL_BLOCK);
    }
    for (long block = 2; block <= Math.max(dims[rows], dims[rows + 1]); block *= 2) {
      if (fits(rows, block) && fits(rows + 1, block)) {
        return OptionalLong.of(block);
      }
    }
    return OptionalLong.empty();
  }

  private boolean isOfRows(int i) {
    return grid[i] == dims[i] && dims[i] > 1;
  }
}
