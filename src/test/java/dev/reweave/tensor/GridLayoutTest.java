package dev.reweave.tensor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.tensor.GridLayout.Block;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.SplittableRandom;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

class GridLayoutTest {
  private static final int FILES = 4;

  /** A block and where each of its elements lies. */
  private record Cut(List<Long> offsets, Shape sizes, StoredLayout layout) {
    Block block() {
      return new Block(offsets, sizes, layout);
    }
  }

  @Test
  void placesTensorsCutAnywhere() {
    SplittableRandom random = new SplittableRandom(5);
    for (int i = 0; i < 600; i++) {
      Shape shape = Shape.of(random.longs(random.nextInt(5), 1, 6).toArray());
      if (shape.elements() <= 60) {
        List<Cut> cuts = new ArrayList<>();
        cut(random, new long[shape.rank()], shape.dims(), 3, cuts);
        Collections.shuffle(cuts, new Random(i));
        check(shape, cuts);
      }
    }
  }

  @Test
  void placesRegularGrids() {
    SplittableRandom random = new SplittableRandom(6);
    for (int i = 0; i < 200; i++) {
      Shape shape = Shape.of(random.longs(random.nextInt(1, 4), 1, 6).toArray());
      List<Cut> cuts = new ArrayList<>();
      long[] steps = random.longs(shape.rank(), 1, 4).toArray();
      grid(random, shape, steps, 0, new long[shape.rank()], cuts);
      check(shape, cuts);
    }
  }

  private static void check(Shape shape, List<Cut> cuts) {
    List<LayoutModel.Place> places = new ArrayList<>();
    long[] strides = shape.rowMajorStrides();
    for (long at = 0; at < shape.elements(); at++) {
      places.add(place(cuts, indexOf(at, shape, strides)));
    }
    GridLayout grid = new GridLayout(shape, cuts.stream().map(Cut::block).toList());
    new LayoutModel(places).check(grid, FILES, cuts.size());
  }

  private static long[] indexOf(long element, Shape shape, long[] strides) {
    long[] index = new long[shape.rank()];
    Arrays.setAll(index, d -> element / strides[d] % shape.dim(d));
    return index;
  }

  private static LayoutModel.Place place(List<Cut> cuts, long[] index) {
    for (Cut cut : cuts) {
      boolean inside = true;
      long at = 0;
      for (int d = 0; d < index.length; d++) {
        long within = index[d] - cut.offsets().get(d);
        inside &= within >= 0 && within < cut.sizes().dim(d);
        at = at * cut.sizes().dim(d) + within;
      }
      if (inside) {
        LayoutModel.Place[] found = new LayoutModel.Place[1];
        cut.layout().runs(at, at + 1, (s, o, n) -> found[0] = new LayoutModel.Place(s, o));
        return found[0];
      }
    }
    throw new AssertionError("no block at " + Arrays.toString(index));
  }

  /** Cuts a block in two, and those again. */
  private static void cut(
      SplittableRandom random, long[] offsets, long[] sizes, int depth, List<Cut> cuts) {
    int dim = sizes.length == 0 ? 0 : random.nextInt(sizes.length);
    if (depth == 0 || sizes.length == 0 || sizes[dim] < 2) {
      cuts.add(stored(random, offsets, Shape.of(sizes), cuts.size()));
      return;
    }
    long first = random.nextLong(1, sizes[dim]);
    long[] firstSizes = sizes.clone();
    firstSizes[dim] = first;
    cut(random, offsets, firstSizes, depth - 1, cuts);
    long[] restOffsets = offsets.clone();
    restOffsets[dim] += first;
    long[] restSizes = sizes.clone();
    restSizes[dim] -= first;
    cut(random, restOffsets, restSizes, depth - 1, cuts);
  }

  private static void grid(
      SplittableRandom random, Shape shape, long[] steps, int dim, long[] offsets, List<Cut> cuts) {
    if (dim == shape.rank()) {
      long[] sizes = new long[dim];
      Arrays.setAll(sizes, d -> Math.min(steps[d], shape.dim(d) - offsets[d]));
      cuts.add(stored(random, offsets, Shape.of(sizes), cuts.size()));
      return;
    }
    for (long at = 0; at < shape.dim(dim); at += steps[dim]) {
      long[] inner = offsets.clone();
      inner[dim] = at;
      grid(random, shape, steps, dim + 1, inner, cuts);
    }
  }

  /** In row-major order, or, now and then, with the dimensions the other way around. */
  private static Cut stored(SplittableRandom random, long[] offsets, Shape sizes, int number) {
    StorageRef storage =
        LayoutModel.storage(random.nextInt(FILES), "block " + number, sizes.elements() + 2);
    long[] strides = sizes.rowMajorStrides();
    if (random.nextInt(4) == 0) {
      long stride = 1;
      for (int d = 0; d < strides.length; d++) {
        strides[d] = stride;
        stride *= sizes.dim(d);
      }
    }
    List<Long> at = LongStream.of(offsets).boxed().toList();
    return new Cut(at, sizes, new StoredLayout(storage, 1, sizes, strides));
  }

  private static Block block(List<Long> offsets, long... sizes) {
    Shape shape = Shape.of(sizes);
    StorageRef storage = LayoutModel.storage(0, "block " + offsets, shape.elements());
    return new Block(offsets, shape, StoredLayout.contiguous(storage, 0, shape));
  }

  private static String problem(Shape shape, Block... blocks) {
    return assertThrows(
            IllegalArgumentException.class, () -> new GridLayout(shape, List.of(blocks)))
        .getMessage();
  }

  @Test
  void refusesBlocksThatDoNotTile() {
    Shape shape = Shape.of(4, 6);
    assertEquals("no block for a tensor of shape [4, 6]", problem(shape));
    assertEquals(
        "no block covers the tensor at [2, 3]",
        problem(shape, block(List.of(0L, 0L), 2, 6), block(List.of(2L, 0L), 2, 3)));
    assertEquals(
        "the block at [1, 0] of [3, 6] overlaps the block at [0, 0] of [2, 6]",
        problem(shape, block(List.of(0L, 0L), 2, 6), block(List.of(1L, 0L), 3, 6)));
    assertEquals(
        "the block at [3, 0] of [2, 6] lies outside the tensor of shape [4, 6]",
        problem(shape, block(List.of(0L, 0L), 3, 6), block(List.of(3L, 0L), 2, 6)));
    assertEquals(
        "the block at [-1, 0] of [2, 6] lies outside the tensor of shape [4, 6]",
        problem(shape, block(List.of(-1L, 0L), 2, 6)));
    assertEquals(
        "the block at [9223372036854775807, 0] of [2, 6] lies outside the tensor of shape [4, 6]",
        problem(shape, block(List.of(Long.MAX_VALUE, 0L), 2, 6)));
    assertEquals(
        "the block at [0] of [4] lies outside the tensor of shape [4, 6]",
        problem(shape, block(List.of(0L), 4)));
    assertThrows(IllegalArgumentException.class, () -> block(List.of(0L, 0L), 0, 6));
    assertThrows(IllegalArgumentException.class, () -> block(List.of(0L), 2, 6));
  }

  @Test
  void refusesMoreCellsThanBlocksAreWorth() {
    Block[] diagonal = new Block[1000];
    Arrays.setAll(diagonal, i -> block(List.of((long) i, (long) i, (long) i), 1, 1, 1));
    assertEquals(
        "blocks that form no grid, or leave large gaps",
        problem(Shape.of(1000, 1000, 1000), diagonal));
  }

  @Test
  void takesManyBlocksOfTwoDimensionsInLargeRuns() {
    int across = 512;
    long side = 1 << 14;
    List<Block> blocks = new ArrayList<>();
    for (long row = 0; row < 8; row++) {
      for (long column = 0; column < across; column++) {
        blocks.add(block(List.of(row * side / 8, column * side / across), side / 8, side / across));
      }
    }
    GridLayout grid = new GridLayout(Shape.of(side, side), blocks);
    assertEquals(side / across, grid.granularity());
    long[] sum = new long[2];
    grid.runs(
        side * side / 2 - 100 * side,
        side * side / 2 + 100 * side,
        (storage, offset, elements) -> {
          sum[0] += elements;
          sum[1]++;
        });
    assertEquals(200 * side, sum[0]);
    assertEquals(200L * across, sum[1]);
  }

  @Test
  void isNotMadeSmallByAShortLastBlock() {
    GridLayout grid =
        new GridLayout(Shape.of(1001), List.of(block(List.of(0L), 1000), block(List.of(1000L), 1)));
    assertTrue(grid.granularity() >= 500, () -> "granularity " + grid.granularity());
  }
}
