package dev.reweave.tensor;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.TreeSet;

/**
 * A tensor that is cut along any of its dimensions into blocks, each with a layout of its own: how
 * PyTorch's distributed checkpoints keep it, and DeepSpeed's tensor-parallel ranks together.
 *
 * <p>Where blocks do not form a regular grid, the cells between all of their borders are looked up
 * instead: a block takes several of them.
 */
public final class GridLayout implements Layout {
  private static final long serialVersionUID = 1L;

  /** Cells that any grid may have; one of many blocks may have a few times as many. */
  private static final long MOST_CELLS = 1 << 16;

  private static final int MOST_CELLS_PER_BLOCK = 4;

  /** A block of a tensor, with a layout of its elements in row-major order. */
  public static final class Block implements Serializable {
    private static final long serialVersionUID = 1L;

    private final long[] offsets;
    private final long[] sizes;
    private final Layout layout;

    /**
     * @param offsets first index of the block along each dimension of the tensor
     * @param sizes lengths of the block, none of them 0
     * @throws IllegalArgumentException if they do not go together
     */
    public Block(List<Long> offsets, Shape sizes, Layout layout) {
      if (offsets.size() != sizes.rank()
          || sizes.elements() != layout.elements()
          || layout.elements() == 0) {
        throw new IllegalArgumentException(
            "a block at " + offsets + " of " + sizes + " with " + layout.elements() + " elements");
      }
      // A scalar is a block of one dimension: it spares all that follows a special case.
      boolean scalar = offsets.isEmpty();
      this.offsets = scalar ? new long[1] : offsets.stream().mapToLong(Long::longValue).toArray();
      this.sizes = scalar ? new long[] {1} : sizes.dims();
      this.layout = layout;
    }

    private void requireWithin(long[] dims) {
      boolean within = offsets.length == dims.length;
      for (int d = 0; within && d < dims.length; d++) {
        within = offsets[d] >= 0 && offsets[d] <= dims[d] - sizes[d];
      }
      if (!within) {
        throw new IllegalArgumentException(
            this + " lies outside the tensor of shape " + Arrays.toString(dims));
      }
    }

    /** The part of this block in a tensor that starts at index {@code base} of a dimension. */
    private Block narrowed(int dim, long from, long length, long base) {
      TensorSpec whole = new TensorSpec(toString(), layout.dtype(), Shape.of(sizes));
      NamedTensor part =
          new NamedTensor(whole, layout).narrowed(whole.name(), dim, from - offsets[dim], length);
      List<Long> starts = new ArrayList<>(Arrays.stream(offsets).boxed().toList());
      starts.set(dim, from - base);
      return new Block(starts, part.spec().shape(), part.layout());
    }

    /** The block without a dimension in which it has one index. */
    private Block without(int dim) {
      List<Long> starts = new ArrayList<>(Arrays.stream(offsets).boxed().toList());
      starts.remove(dim);
      return new Block(starts, GridLayout.without(sizes, dim), layout);
    }

    /** The outermost dimension along which elements follow each other without a gap. */
    private int runDim(long[] dims) {
      int dim = dims.length - 1;
      while (dim > 0 && sizes[dim] == dims[dim]) {
        dim--;
      }
      return dim;
    }

    /** As in messages: where it starts and how long it is. */
    @Override
    public String toString() {
      return "the block at " + Arrays.toString(offsets) + " of " + Arrays.toString(sizes);
    }
  }

  private final long[] dims;
  private final long elements;
  private final Block[] blocks;
  private final long[][] borders;
  private final int[] cells;
  private final long granularity;

  /**
   * @param blocks cover the tensor exactly, in any order
   * @throws IllegalArgumentException if they overlap, leave a gap or the tensor, have layouts of
   *     different types, or are cut so irregularly that no grid holds them
   */
  public GridLayout(Shape shape, List<Block> blocks) {
    if (blocks.isEmpty()) {
      throw new IllegalArgumentException("no block for a tensor of shape " + shape);
    }
    this.dims = shape.rank() == 0 ? new long[] {1} : shape.dims();
    this.elements = shape.elements();
    this.blocks = blocks.toArray(Block[]::new);
    for (Block block : this.blocks) {
      block.requireWithin(dims);
      if (block.layout.dtype() != dtype()) {
        throw new IllegalArgumentException("blocks of " + dtype() + " and " + block.layout.dtype());
      }
    }
    this.borders = borders();
    this.cells = cells();
    this.granularity = leastRun();
  }

  /** Whether this places a tensor of whole elements and this shape. */
  boolean isOf(Shape shape) {
    return Arrays.equals(dims, shape.dims()) && !dtype().isPacked();
  }

  /**
   * The same tensor with fewer indexes of one dimension, of those blocks alone that have them: one
   * of a stack of layers has its own blocks, and not those of all.
   *
   * @param length how many are kept, at least 1
   */
  Layout narrowed(int dim, long from, long length) {
    Objects.checkFromIndexSize(from, length, dims[dim]);
    List<Block> kept = new ArrayList<>();
    for (Block block : blocks) {
      long start = Math.max(from, block.offsets[dim]);
      long end = Math.min(from + length, block.offsets[dim] + block.sizes[dim]);
      if (start < end) {
        kept.add(block.narrowed(dim, start, end - start, from));
      }
    }
    long[] lengths = dims.clone();
    lengths[dim] = length;
    return kept.size() == 1 ? kept.get(0).layout : new GridLayout(Shape.of(lengths), kept);
  }

  /**
   * The same tensor without a dimension.
   *
   * @throws IllegalArgumentException if that has another length than 1
   */
  Layout without(int dim) {
    if (dims[dim] != 1) {
      throw new IllegalArgumentException("dimension " + dim + " of " + Arrays.toString(dims));
    }
    return dims.length == 1
        ? this
        : new GridLayout(
            without(dims, dim), Arrays.stream(blocks).map(block -> block.without(dim)).toList());
  }

  private static Shape without(long[] lengths, int dim) {
    List<Long> others = new ArrayList<>(Arrays.stream(lengths).boxed().toList());
    others.remove(dim);
    return Shape.of(others);
  }

  private long[][] borders() {
    long[][] all = new long[dims.length][];
    for (int d = 0; d < dims.length; d++) {
      TreeSet<Long> along = new TreeSet<>(List.of(0L, dims[d]));
      for (Block block : blocks) {
        along.add(block.offsets[d]);
        along.add(block.offsets[d] + block.sizes[d]);
      }
      all[d] = along.stream().mapToLong(Long::longValue).toArray();
    }
    return all;
  }

  /** The index of the block that covers each cell between borders, in row-major order. */
  private int[] cells() {
    long most = Math.max(MOST_CELLS, (long) MOST_CELLS_PER_BLOCK * blocks.length);
    long count = 1;
    for (long[] along : borders) {
      count *= along.length - 1;
      if (count > most) {
        throw new IllegalArgumentException("blocks that form no grid, or leave large gaps");
      }
    }
    int[] covered = new int[(int) count];
    Arrays.fill(covered, -1);
    for (int i = 0; i < blocks.length; i++) {
      cover(covered, i, 0, 0);
    }
    for (int cell = 0; cell < covered.length; cell++) {
      if (covered[cell] < 0) {
        throw new IllegalArgumentException(
            "no block covers the tensor at " + Arrays.toString(startOf(cell)));
      }
    }
    return covered;
  }

  private void cover(int[] covered, int block, int dim, int cell) {
    if (dim == dims.length) {
      if (covered[cell] >= 0) {
        throw new IllegalArgumentException(blocks[block] + " overlaps " + blocks[covered[cell]]);
      }
      covered[cell] = block;
      return;
    }
    long[] along = borders[dim];
    long start = blocks[block].offsets[dim];
    int first = Arrays.binarySearch(along, start);
    for (int i = first; along[i] < start + blocks[block].sizes[dim]; i++) {
      cover(covered, block, dim + 1, cell * (along.length - 1) + i);
    }
  }

  private long[] startOf(int cell) {
    long[] start = new long[dims.length];
    int rest = cell;
    for (int d = dims.length - 1; d >= 0; d--) {
      int count = borders[d].length - 1;
      start[d] = borders[d][rest % count];
      rest /= count;
    }
    return start;
  }

  private long leastRun() {
    long least = Long.MAX_VALUE;
    for (Block block : blocks) {
      int runDim = block.runDim(dims);
      long row = block.sizes[runDim] * strideOf(runDim);
      boolean oneRun =
          row == block.layout.elements() && block.layout.granularity() >= block.layout.elements();
      // Blocks of one run each are no more than there are blocks, however short the last one is.
      least =
          Math.min(
              least,
              oneRun
                  ? Math.max(1, elements / blocks.length)
                  : NarrowedLayout.granularityOfRows(block.layout, row));
    }
    return least;
  }

  private long strideOf(int dim) {
    long stride = 1;
    for (int d = dim + 1; d < dims.length; d++) {
      stride *= dims[d];
    }
    return stride;
  }

  @Override
  public long elements() {
    return elements;
  }

  @Override
  public DType dtype() {
    return blocks[0].layout.dtype();
  }

  @Override
  public void runs(long from, long to, RunConsumer consumer) {
    Objects.checkFromToIndex(from, to, elements);
    long at = from;
    while (at < to) {
      long[] index = indexOf(at);
      Block block = blockAt(index);
      int runDim = block.runDim(dims);
      long stride = strideOf(runDim);
      long row = 0;
      for (int d = 0; d < runDim; d++) {
        row = row * block.sizes[d] + index[d] - block.offsets[d];
      }
      long within = at % (dims[runDim] * stride) - block.offsets[runDim] * stride;
      long length = Math.min(block.sizes[runDim] * stride - within, to - at);
      long start = row * block.sizes[runDim] * stride + within;
      block.layout.runs(start, start + length, consumer);
      at += length;
    }
  }

  private long[] indexOf(long element) {
    long[] index = new long[dims.length];
    long rest = element;
    for (int d = dims.length - 1; d >= 0; d--) {
      index[d] = rest % dims[d];
      rest /= dims[d];
    }
    return index;
  }

  private Block blockAt(long[] index) {
    int cell = 0;
    for (int d = 0; d < dims.length; d++) {
      int found = Arrays.binarySearch(borders[d], index[d]);
      cell = cell * (borders[d].length - 1) + (found >= 0 ? found : -found - 2);
    }
    return blocks[cells[cell]];
  }

  @Override
  public void runsIn(int file, RunConsumer consumer) {
    for (Block block : blocks) {
      block.layout.runsIn(file, consumer);
    }
  }

  @Override
  public long granularity() {
    return granularity;
  }

  @Override
  public int width() {
    return Arrays.stream(blocks).mapToInt(block -> block.layout.width()).max().orElseThrow();
  }

  @Override
  public boolean isComputed() {
    return Arrays.stream(blocks).anyMatch(block -> block.layout.isComputed());
  }

  @Override
  public long storedElements() {
    return Arrays.stream(blocks).mapToLong(block -> block.layout.storedElements()).sum();
  }
}
