package dev.reweave.tensor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** Products of values and the scales of their blocks, and which scales a part of them needs. */
class BlockScalesTest {
  private static StoredLayout stored(DType type, long elements) {
    StorageRef storage =
        new StorageRef(0, "s", 0, type, elements, StorageRef.Endian.LITTLE, StorageRef.NO_CRC);
    return StoredLayout.contiguous(storage, 0, Shape.of(elements));
  }

  private static long cells(Shape shape, List<Long> blocks) {
    long cells = 1;
    for (int d = 0; d < shape.rank(); d++) {
      cells *= (shape.dim(d) + blocks.get(d) - 1) / blocks.get(d);
    }
    return cells;
  }

  /** The scale of an element, found dimension by dimension. */
  private static int cell(Shape shape, List<Long> blocks, long element) {
    long rest = element;
    long cell = 0;
    long stride = 1;
    for (int d = shape.rank() - 1; d >= 0; d--) {
      cell += rest % shape.dim(d) / blocks.get(d) * stride;
      stride *= (shape.dim(d) + blocks.get(d) - 1) / blocks.get(d);
      rest /= shape.dim(d);
    }
    return (int) cell;
  }

  /** What a layout asks of a consumer: values and scales. */
  private static final class Taken implements RunConsumer {
    private final BlockScales scales;
    private final byte[] values;
    private final float[] all;
    private final List<Float> made = new ArrayList<>();

    Taken(BlockScales scales, byte[] values, float[] all) {
      this.scales = scales;
      this.values = values;
      this.all = all;
    }

    @Override
    public void run(StorageRef storage, long offset, long elements) {
      throw new AssertionError("values without scales");
    }

    @Override
    public void scaled(Layout layout, BlockScales given, long from, long to) {
      assertEquals(scales, given);
      int count = (int) (to - from);
      BlockScales.Range range = given.range(from, to);
      assertTrue(range.count() <= 64 + 2 * count, () -> range + " for " + count);
      ByteBuffer stored = ByteBuffer.allocate(4 * range.count()).order(ByteOrder.LITTLE_ENDIAN);
      for (long i = range.from(); i < range.to(); i++) {
        stored.putFloat(all[(int) i]);
      }
      byte[] data = new byte[1 + 4 * count];
      System.arraycopy(values, (int) from, data, 1 + 3 * count, count);
      given.multiply(DType.F8_E4M3, data, 1, from, count, stored.array());
      ByteBuffer products = ByteBuffer.wrap(data).order(ByteOrder.LITTLE_ENDIAN).position(1);
      for (int i = 0; i < count; i++) {
        made.add(products.getFloat());
      }
    }
  }

  @Test
  void eachValueIsMultipliedByTheScaleOfItsBlock() {
    SplittableRandom random = new SplittableRandom(8);
    for (int i = 0; i < 2000; i++) {
      long[] dims = new long[random.nextInt(0, 5)];
      List<Long> blocks = new ArrayList<>();
      for (int d = 0; d < dims.length; d++) {
        dims[d] = random.nextInt(1, 12);
        blocks.add(random.nextInt(3) == 0 ? dims[d] : random.nextLong(1, 14));
      }
      check(Shape.of(dims), blocks, random);
    }
    // Parts of rows that need few scales of many.
    check(Shape.of(7, 3000), List.of(1L, 1L), random);
    check(Shape.of(3, 50, 40), List.of(2L, 1L, 1L), random);
  }

  private static void check(Shape shape, List<Long> blocks, SplittableRandom random) {
    int elements = (int) shape.elements();
    byte[] values = new byte[elements];
    random.nextBytes(values);
    float[] scales = new float[(int) cells(shape, blocks)];
    for (int s = 0; s < scales.length; s++) {
      scales[s] = (float) random.nextDouble();
    }
    BlockScales by = new BlockScales(stored(DType.F32, scales.length), DType.F32, shape, blocks);
    DequantizedLayout layout = new DequantizedLayout(stored(DType.F8_E4M3, elements), by);
    int from = random.nextInt(elements);
    int to = random.nextInt(from, elements) + 1;
    Taken taken = new Taken(by, values, scales);
    layout.runs(from, to, taken);
    assertEquals(to - from, taken.made.size());
    int[] floats = Float8.floats(DType.F8_E4M3);
    for (int e = from; e < to; e++) {
      float product =
          Float.intBitsToFloat(floats[values[e] & 0xFF]) * scales[cell(shape, blocks, e)];
      assertEquals(product, taken.made.get(e - from), () -> shape + " in blocks of " + blocks);
    }
  }

  @Test
  void aPartOfARowNeedsTheScalesOfItsBlocksAlone() {
    BlockScales scales =
        new BlockScales(stored(DType.F32, 12), DType.F32, Shape.of(300, 500), List.of(128L, 128L));
    assertEquals(new BlockScales.Range(1, 2), scales.range(127 * 500 + 128, 127 * 500 + 256));
    assertEquals(new BlockScales.Range(0, 4), scales.range(0, 500));
    assertEquals(new BlockScales.Range(0, 8), scales.range(127 * 500, 129 * 500));
    assertEquals(new BlockScales.Range(8, 12), scales.range(256 * 500, 300 * 500));
  }

  @Test
  void itTellsWhatItIsMadeOf() {
    BlockScales scales =
        new BlockScales(stored(DType.BF16, 4), DType.BF16, Shape.of(3, 3), List.of(2L, 2L));
    DequantizedLayout layout = new DequantizedLayout(stored(DType.F8_E5M2, 9), scales);
    assertEquals(DType.F32, layout.dtype());
    assertEquals(DType.F8_E5M2, layout.storedType());
    assertEquals(9 + 8, layout.storedBytes());
    List<String> runs = new ArrayList<>();
    layout.runsIn(
        0,
        new RunConsumer() {
          @Override
          public void run(StorageRef storage, long offset, long elements) {
            runs.add("values " + elements);
          }

          @Override
          public void beside(StorageRef storage, long offset, long count) {
            runs.add("scales " + count);
          }
        });
    assertEquals(List.of("values 9", "scales 4"), runs);
    NamedTensor whole =
        new NamedTensor(new TensorSpec("w", DType.F32, Shape.of(3, 3)), layout)
            .narrowed("part", 1, 1, 2);
    assertEquals(DType.F8_E5M2, whole.layout().storedType());
    assertTrue(whole.layout().isComputed());
  }

  @Test
  void refusesWhatDoesNotGoTogether() {
    assertThrows(
        IllegalArgumentException.class,
        () -> new BlockScales(stored(DType.F32, 3), DType.F32, Shape.of(4, 4), List.of(2L, 2L)));
    assertThrows(
        IllegalArgumentException.class,
        () -> new BlockScales(stored(DType.I32, 1), DType.I32, Shape.of(4), List.of(4L)));
    assertThrows(
        IllegalArgumentException.class,
        () -> new BlockScales(stored(DType.F32, 1), DType.F32, Shape.of(4), List.of()));
    BlockScales one =
        new BlockScales(stored(DType.F32, 1), DType.F32, Shape.of(4), Arrays.asList(4L));
    assertThrows(
        IllegalArgumentException.class, () -> new DequantizedLayout(stored(DType.I8, 4), one));
    assertThrows(
        IllegalArgumentException.class, () -> new DequantizedLayout(stored(DType.F8_E4M3, 5), one));
  }
}
