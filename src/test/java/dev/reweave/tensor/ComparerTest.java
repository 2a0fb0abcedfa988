package dev.reweave.tensor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.math.BigDecimal;
import java.math.MathContext;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ComparerTest {
  private static Comparer.Elements floats(float... numbers) {
    ByteBuffer bytes = ByteBuffer.allocate(4 * numbers.length).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asFloatBuffer().put(numbers);
    return new Comparer.Elements(DType.F32, bytes.array(), 0);
  }

  private static Comparer.Elements doubles(double... numbers) {
    ByteBuffer bytes = ByteBuffer.allocate(8 * numbers.length).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asDoubleBuffer().put(numbers);
    return new Comparer.Elements(DType.F64, bytes.array(), 0);
  }

  private static Comparer.Elements longs(DType type, long... numbers) {
    ByteBuffer bytes = ByteBuffer.allocate(8 * numbers.length).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asLongBuffer().put(numbers);
    return new Comparer.Elements(type, bytes.array(), 0);
  }

  private static Comparer.Elements shorts(DType type, int... numbers) {
    ByteBuffer bytes = ByteBuffer.allocate(2 * numbers.length).order(ByteOrder.LITTLE_ENDIAN);
    for (int number : numbers) {
      bytes.putShort((short) number);
    }
    return new Comparer.Elements(type, bytes.array(), 0);
  }

  private static Deviation compare(Comparer.Elements first, Comparer.Elements second, int count) {
    return new Comparer(Comparer.Summing.ALL).compare(first, second, count, 0);
  }

  @Test
  void sumsAreThoseOfAStraightLoop() {
    int count = 3 * Comparer.BLOCK + 17;
    float[] x = new float[count];
    float[] y = new float[count];
    SplittableRandom random = new SplittableRandom(7);
    BigDecimal xx = BigDecimal.ZERO;
    BigDecimal yy = BigDecimal.ZERO;
    BigDecimal xy = BigDecimal.ZERO;
    BigDecimal dd = BigDecimal.ZERO;
    double absolute = 0;
    double relative = 0;
    int farthest = -1;
    for (int i = 0; i < count; i++) {
      x[i] = (float) random.nextDouble(-1, 1);
      y[i] = i % 3 == 0 ? x[i] : x[i] + (float) random.nextDouble(-0.1, 0.1);
      BigDecimal a = new BigDecimal(x[i]);
      BigDecimal b = new BigDecimal(y[i]);
      xx = xx.add(a.multiply(a));
      yy = yy.add(b.multiply(b));
      xy = xy.add(a.multiply(b));
      dd = dd.add(a.subtract(b).pow(2));
      double apart = Math.abs((double) x[i] - y[i]);
      farthest = apart > absolute ? i : farthest;
      absolute = Math.max(absolute, apart);
      if (apart > 0) {
        relative = Math.max(relative, apart / Math.max(Math.abs(x[i]), Math.abs(y[i])));
      }
    }
    BigDecimal lengths = xx.multiply(yy).sqrt(MathContext.DECIMAL64);

    Deviation found = compare(floats(x), floats(y), count);

    assertEquals(absolute, found.absolute());
    assertEquals(relative, found.relative());
    assertEquals(farthest, found.at());
    assertEquals(xy.doubleValue() / lengths.doubleValue(), found.cosine(), 1e-14);
    assertEquals(
        Math.sqrt(dd.doubleValue() / Math.max(xx.doubleValue(), yy.doubleValue())),
        found.distance(),
        1e-14);
  }

  @Test
  void blocksThatAreTheSameCountAsOthers() {
    int count = 11 * Comparer.BLOCK + 5;
    float[] x = new float[count];
    SplittableRandom random = new SplittableRandom(8);
    for (int i = 0; i < count; i++) {
      x[i] = (float) random.nextDouble(-1, 1);
    }
    x[6 * Comparer.BLOCK + 1] = Float.NaN;
    x[7 * Comparer.BLOCK + 2] = Float.POSITIVE_INFINITY;
    float[] y = x.clone();
    y[5 * Comparer.BLOCK + 9] += 1;

    Deviation whole = compare(floats(x), floats(y), count);

    Deviation parts = Deviation.NONE;
    for (int at = 0; at < count; at += Comparer.BLOCK) {
      int length = Math.min(Comparer.BLOCK, count - at);
      Comparer.Elements first = floats(Arrays.copyOfRange(x, at, at + length));
      Comparer.Elements second = floats(Arrays.copyOfRange(y, at, at + length));
      parts = parts.plus(new Comparer(Comparer.Summing.ALL).compare(first, second, length, at));
    }
    assertEquals(parts, whole);
    assertEquals(1, whole.differing());
    assertEquals(5 * Comparer.BLOCK + 9, whole.at());
    double squares = 0;
    for (float number : x) {
      squares += Float.isFinite(number) ? (double) number * number : 0;
    }
    assertEquals(squares, whole.sums().first().value(), squares * 1e-12);
    // One number is larger by 1 on the second side.
    double more = 2 * x[5 * Comparer.BLOCK + 9] + 1;
    assertEquals(squares + more, whole.sums().second().value(), squares * 1e-6);
  }

  @Test
  void sumsAreLackingOnlyWhereOtherNumbersNeedThem() {
    int count = 3 * Comparer.BLOCK + 5;
    float[] x = new float[count];
    Arrays.fill(x, 3);
    x[7] = Float.NaN;
    float[] y = x.clone();
    Comparer comparer = new Comparer(Comparer.Summing.WHERE_BITS_DIFFER);

    Deviation same = comparer.compare(floats(x), floats(y), count, 0);

    assertEquals(count, same.numbers());
    assertEquals(0, same.unequal() + same.differing());
    assertEquals(1, same.cosine());
    assertEquals(0, same.distance());
    assertFalse(same.lacksSums());

    y[2 * Comparer.BLOCK] = -3;
    Deviation found = comparer.compare(floats(x), floats(y), count, 0);

    assertEquals(1, found.differing());
    assertEquals(2 * Comparer.BLOCK, found.at());
    assertEquals(6, found.absolute());
    assertTrue(found.lacksSums());
    assertEquals(9.0 * Comparer.BLOCK, found.sums().first().value());

    Arrays.fill(y, 4);
    Deviation all = comparer.compare(floats(x), floats(y), count, 0);

    assertFalse(all.lacksSums());
    assertEquals(compare(floats(x), floats(y), count), all);
  }

  @Test
  void partsInAnyOrderGiveTheSameBits() {
    int blocks = 9;
    int count = blocks * Comparer.BLOCK - 5;
    float[] x = new float[count];
    float[] y = new float[count];
    SplittableRandom random = new SplittableRandom(3);
    for (int i = 0; i < count; i++) {
      // Sums of such numbers depend on their order in any floating-point arithmetic.
      x[i] = (float) (random.nextDouble(-1, 1) * Math.pow(10, random.nextInt(-15, 15)));
      y[i] = (float) (random.nextDouble(-1, 1) * Math.pow(10, random.nextInt(-15, 15)));
    }
    Deviation whole = compare(floats(x), floats(y), count);
    List<Deviation> parts = new ArrayList<>();
    for (int b = 0; b < blocks; b++) {
      int from = b * Comparer.BLOCK;
      int length = Math.min(Comparer.BLOCK, count - from);
      parts.add(
          new Comparer(Comparer.Summing.ALL)
              .compare(
                  new Comparer.Elements(DType.F32, bytes(x), 4 * from),
                  new Comparer.Elements(DType.F32, bytes(y), 4 * from),
                  length,
                  from));
    }
    Collections.shuffle(parts, new Random(5));

    assertEquals(whole, parts.stream().reduce(Deviation.NONE, Deviation::plus));
  }

  private static byte[] bytes(float... numbers) {
    ByteBuffer bytes = ByteBuffer.allocate(4 * numbers.length).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asFloatBuffer().put(numbers);
    return bytes.array();
  }

  @Test
  void zerosAndNansHaveBitsAndValues() {
    float otherNan = Float.intBitsToFloat(0x7FC00001);

    Deviation found = compare(floats(0f, Float.NaN, 1), floats(-0f, otherNan, 1), 3);

    assertEquals(2, found.unequal());
    assertEquals(0, found.differing());
    assertEquals(0, found.absolute());
    assertEquals(1, found.cosine());
  }

  @Test
  void whatIsNotFiniteOnOneSideIsCountedAndNotAddedUp() {
    float nan = Float.NaN;
    float infinity = Float.POSITIVE_INFINITY;

    Deviation found =
        compare(
            floats(nan, 2, infinity, infinity, -infinity, 3),
            floats(1, nan, infinity, 5, infinity, 4),
            6);

    assertEquals(5, found.differing());
    assertEquals(1, found.broken().nanInFirst());
    assertEquals(1, found.broken().nanInSecond());
    assertEquals(2, found.broken().infinite());
    assertEquals(Double.POSITIVE_INFINITY, found.absolute());
    assertEquals(Double.POSITIVE_INFINITY, found.relative());
    assertEquals(3, found.at());
    assertEquals(1, found.cosine());
    assertEquals(0.25, found.distance());
  }

  @Test
  void castToTheNarrowerType() {
    Comparer.Elements masters = floats(1.001f, -2, 0.3f);
    Comparer.Elements module = shorts(DType.BF16, 0x3F80, 0xC000, 0x3E9A);

    Deviation found = compare(masters, module, 3);

    assertEquals(0, found.unequal());
    assertEquals(2, found.differing());
    assertEquals((double) 1.001f - 1, found.absolute());
    assertEquals(found.absolute(), compare(module, masters, 3).absolute());
    assertEquals(0, compare(module, masters, 3).unequal());
    assertEquals(1, compare(masters, shorts(DType.BF16, 0x3F81, 0xC000, 0x3E9A), 3).unequal());
  }

  @Test
  void largeIntegersThatAreTheSameDouble() {
    long large = 1L << 60;

    Deviation signed = compare(longs(DType.I64, large, -5), longs(DType.I64, large + 1, -5), 2);
    Deviation ends = compare(longs(DType.I64, Long.MIN_VALUE), longs(DType.I64, Long.MAX_VALUE), 1);
    Deviation unsigned = compare(longs(DType.U64, -1), longs(DType.U64, 1), 1);

    assertEquals(1, signed.unequal());
    assertEquals(1, signed.differing());
    assertEquals(1, signed.absolute());
    assertEquals(0x1p64, ends.absolute());
    assertEquals(0x1p64, unsigned.absolute());
  }

  @Test
  void vectorsWithoutLength() {
    assertEquals(0, compare(floats(0, 0), floats(1, 0), 2).cosine());
    assertEquals(1, compare(floats(0, 0), floats(1, 0), 2).distance());
    assertEquals(-1, compare(floats(1, 2), floats(-1, -2), 2).cosine());
    assertEquals(2, compare(floats(1, 2), floats(-1, -2), 2).distance());
    assertEquals(1, Deviation.NONE.cosine());
    assertEquals(0, Deviation.NONE.distance());
  }

  @Test
  void squaresThatAreTooLarge() {
    Deviation found = compare(doubles(1e200, 1), doubles(1e200, 2), 2);

    assertEquals(1, found.absolute());
    assertTrue(Double.isNaN(found.cosine()), found::toString);
    assertTrue(Double.isNaN(found.distance()), found::toString);
  }

  @Test
  void complexNumbersAreTwo() {
    float[] x = {1, 2, 3, 4};
    float[] y = {1, 2, 3, 5};

    Deviation found =
        compare(
            new Comparer.Elements(DType.C64, bytes(x), 0),
            new Comparer.Elements(DType.C64, bytes(y), 0),
            2);

    assertEquals(4, found.numbers());
    assertEquals(1, found.unequal());
    assertEquals(1, found.at());
    assertFalse(Comparer.compares(DType.C64, DType.F32));
  }

  /** Numbers from the tables of the specifications: largest, least normal, least subnormal. */
  @ParameterizedTest
  @CsvSource({
    "F8_E4M3, 0x7E, 448",
    "F8_E4M3, 0x7F, NaN",
    "F8_E4M3, 0x08, 0.015625",
    "F8_E4M3, 0x81, -0.001953125",
    "F8_E5M2, 0x7B, 57344",
    "F8_E5M2, 0x7C, Infinity",
    "F8_E5M2, 0x7F, NaN",
    "F8_E5M2, 0x01, 0.0000152587890625",
    "F8_E4M3FNUZ, 0x7F, 240",
    "F8_E4M3FNUZ, 0x80, NaN",
    "F8_E4M3FNUZ, 0x01, 0.0009765625",
    "F8_E5M2FNUZ, 0x7F, 57344",
    "F8_E5M2FNUZ, 0x80, NaN",
    "F8_E5M2FNUZ, 0x01, 0.00000762939453125",
    "F8_E8M0, 0x7F, 1",
    "F8_E8M0, 0x80, 2",
    "F8_E8M0, 0xFF, NaN",
    "I8, 0xFE, -2",
    "U8, 0xFE, 254",
    "BOOL, 0x01, 1",
  })
  void oneByte(DType type, String bits, double number) {
    double[] read = new double[1];

    Numbers.read(type, new byte[] {(byte) (int) Integer.decode(bits)}, 0, read, 1);

    assertEquals(number, read[0]);
  }

  @ParameterizedTest
  @CsvSource({
    "I16, 0xFFFE, -2",
    "U16, 0xFFFE, 65534",
    "F16, 0x3C01, 1.0009765625",
    "F16, 0xFC00, -Infinity",
    "BF16, 0x3F81, 1.0078125",
  })
  void twoBytes(DType type, String bits, double number) {
    int value = Integer.decode(bits);
    double[] read = new double[1];

    Numbers.read(type, new byte[] {(byte) value, (byte) (value >> 8)}, 0, read, 1);

    assertEquals(number, read[0]);
  }
}
