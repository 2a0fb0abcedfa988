package dev.reweave.tensor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.math.BigDecimal;
import java.math.MathContext;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.SplittableRandom;
import java.util.function.IntToDoubleFunction;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class TensorStatisticsTest {
  private static TensorStatistics of(DType type, byte[] data) {
    return TensorStatistics.of(type, data, 0, data.length / type.bytes());
  }

  private static byte[] floats(double... values) {
    ByteBuffer data = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
    for (double value : values) {
      data.putFloat((float) value);
    }
    return data.array();
  }

  private static byte[] doubles(double... values) {
    ByteBuffer data = ByteBuffer.allocate(8 * values.length).order(ByteOrder.LITTLE_ENDIAN);
    for (double value : values) {
      data.putDouble(value);
    }
    return data.array();
  }

  /** Elements as big-endian hexadecimal digits, then what they are like. */
  @ParameterizedTest
  @CsvSource({
    // The ends of the ranges that the definitions of the types name.
    "F8_E4M3, 7e 01 80 7f ff, -0.0, 448, 2, 0, 1",
    "F8_E4M3, 38 b8 fe, -448, 1, 0, 0, 0",
    "F8_E5M2, 7b 01 00 7c fc 7d, 0, 57344, 1, 2, 1",
    "F8_E5M2, 3c bc fb, -57344, 1, 0, 0, 0",
    "F8_E4M3FNUZ, 7f 01 00 80, 0, 240, 1, 0, 1",
    "F8_E4M3FNUZ, 40 c0 ff, -240, 1, 0, 0, 0",
    "F8_E5M2FNUZ, 7f 01 00 80, 0, 57344, 1, 0, 1",
    "F8_E8M0, 00 fe ff, 0x1p-127, 0x1p127, 1, 0, 0",
    "F16, 7bff 0001 8000 7c00 fc00 7e00, -0.0, 65504, 1, 2, 1",
    "BF16, 7f7f 0001 8000 7f80 ff80 7fc0, -0.0, 0x1.fep127, 1, 2, 1",
    "F32, 7f7fffff 00000001 7f800000 ff800001, 0x1p-149, 0x1.fffffep127, 1, 1, 0",
    "F64, 7fefffffffffffff fff0000000000000 7ff8000000000000, 0x1.fffffffffffffp1023,"
        + " 0x1.fffffffffffffp1023, 1, 1, 0",
    "BOOL, 00 01 02, 0, 1, 0, 0, 1",
    "U8, ff 01 00, 0, 255, 0, 0, 1",
    "I8, 80 7f 00, -128, 127, 0, 0, 1",
    "U16, ffff 0000, 0, 65535, 0, 0, 1",
    "I16, 8000 7fff, -32768, 32767, 0, 0, 0",
    "U32, ffffffff 00000000, 0, 4294967295, 0, 0, 1",
    "I32, 80000000 7fffffff, -2147483648, 2147483647, 0, 0, 0",
    "I64, 8000000000000000 7fffffffffffffff 0000000000000000, -0x1p63, 0x1p63, 0, 0, 1",
    "U64, ffffffffffffffff 8000000000000000 0000000000000000, 0, 0x1p64, 0, 0, 1",
    // Just above the middle of two doubles: 2^63 + 2^10 + 1.
    "U64, 8000000000000401, 0x1.0000000000001p63, 0x1.0000000000001p63, 0, 0, 0",
  })
  void knowsEveryType(
      DType type, String elements, String min, String max, long nans, long infinities, long zeros) {
    String[] words = elements.split(" ", -1);
    byte[] data = new byte[words.length * type.bytes()];
    for (int i = 0; i < words.length; i++) {
      byte[] word = HexFormat.of().parseHex(words[i]);
      for (int b = 0; b < word.length; b++) {
        data[i * word.length + b] = word[word.length - 1 - b];
      }
    }

    TensorStatistics found = of(type, data);

    assertEquals(words.length, found.elements());
    assertEquals(number(min), found.finite().min());
    assertEquals(number(max), found.finite().max());
    assertEquals(nans, found.nans());
    assertEquals(infinities, found.infinities());
    assertEquals(zeros, found.zeros());
    assertEquals((double) zeros / words.length, found.zeroShare());
    assertEquals(words.length - nans - infinities, found.finite().count());
  }

  private static double number(String text) {
    return Double.parseDouble(text.contains("0x") ? text + (text.contains("p") ? "" : "p0") : text);
  }

  /** All numbers of each type of eight bits, by what its bits mean. */
  @ParameterizedTest
  @CsvSource({"F8_E4M3, 3, 7", "F8_E5M2, 2, 15", "F8_E4M3FNUZ, 3, 8", "F8_E5M2FNUZ, 2, 16"})
  void readsEveryNumberOfEightBits(DType type, int fractionBits, int bias) {
    for (int bits = 0; bits < 256; bits++) {
      TensorStatistics found = of(type, new byte[] {(byte) bits});
      if (found.finite().count() == 1) {
        int exponent = (bits & 0x7F) >> fractionBits;
        double fraction = (bits & ((1 << fractionBits) - 1)) / (double) (1 << fractionBits);
        double magnitude =
            exponent == 0
                ? fraction * Math.pow(2, 1 - bias)
                : (1 + fraction) * Math.pow(2, exponent - bias);
        assertEquals(bits < 128 ? magnitude : -magnitude, found.finite().mean(), 0.0);
      }
    }
    byte[] all = new byte[256];
    for (int bits = 0; bits < 256; bits++) {
      all[bits] = (byte) bits;
    }
    TensorStatistics found = of(type, all);
    long others = found.nans() + found.infinities();
    assertEquals(
        switch (type) {
          case F8_E4M3 -> 2;
          case F8_E5M2 -> 8;
          default -> 1;
        },
        others);
    assertEquals(type == DType.F8_E5M2 ? 2 : 0, found.infinities());
  }

  /** Sums without rounding, over all numbers at once. */
  private static void assertSpread(double[] numbers, TensorStatistics.Finite found) {
    BigDecimal count = BigDecimal.valueOf(numbers.length);
    BigDecimal sum = BigDecimal.ZERO;
    for (double number : numbers) {
      sum = sum.add(new BigDecimal(number));
    }
    BigDecimal mean = sum.divide(count, new MathContext(60));
    BigDecimal squares = BigDecimal.ZERO;
    for (double number : numbers) {
      squares = squares.add(new BigDecimal(number).subtract(mean).pow(2));
    }
    double deviation =
        squares.divide(count, new MathContext(60)).sqrt(new MathContext(30)).doubleValue();
    assertEquals(numbers.length, found.count());
    assertEquals(mean.doubleValue(), found.mean(), 1e-13 * (deviation + Math.abs(found.mean())));
    assertEquals(deviation, found.deviation(), 1e-12 * deviation);
    assertEquals(Arrays.stream(numbers).min().orElseThrow(), found.min());
    assertEquals(Arrays.stream(numbers).max().orElseThrow(), found.max());
  }

  @ParameterizedTest
  @EnumSource(
      value = DType.class,
      names = {"F16", "BF16", "F32", "F64"})
  void meanAndDeviationAreThoseOfExactSums(DType type) {
    SplittableRandom random = new SplittableRandom(type.name().hashCode());
    byte[] source = doubles(random.doubles(9001, -3, 5).toArray());
    byte[] data = new byte[9001 * type.bytes()];
    Cast.between(DType.F64, type).apply(source, 0, data, 0, 9001);
    byte[] back = new byte[source.length];
    Cast.between(type, DType.F64).apply(data, 0, back, 0, 9001);
    double[] numbers = new double[9001];
    ByteBuffer.wrap(back).order(ByteOrder.LITTLE_ENDIAN).asDoubleBuffer().get(numbers);

    assertSpread(numbers, of(type, data).finite());
  }

  @ParameterizedTest
  @EnumSource(
      value = DType.class,
      names = {"F16", "BF16", "F32", "F64"})
  void blocksAbreastAreWhatTheyAreAlone(DType type) {
    int block = 2048;
    int count = 9 * block + 100;
    SplittableRandom random = new SplittableRandom(5);
    double[] numbers = numbers(count, i -> i % 50 == 7 ? -0.0 : random.nextDouble(-3, 5));
    assertBlocks(type, numbers, block);
    // The least is a zero, whose sign counts.
    assertBlocks(type, numbers(count, i -> i % 3000 == 5 ? -0.0 : i % 7), block);
    numbers[5 * block + 3] = Double.NaN;
    numbers[6 * block + 4] = Double.NEGATIVE_INFINITY;
    assertBlocks(type, numbers, block);
  }

  private static void assertBlocks(DType type, double[] numbers, int block) {
    byte[] data = new byte[numbers.length * type.bytes()];
    Cast.between(DType.F64, type).apply(doubles(numbers), 0, data, 0, numbers.length);
    TensorStatistics all = TensorStatistics.NONE;
    for (int at = 0; at < numbers.length; at += block) {
      int count = Math.min(block, numbers.length - at);
      all = all.plus(TensorStatistics.of(type, data, at * type.bytes(), count));
    }
    assertEquals(all, TensorStatistics.of(type, data, 0, numbers.length));
  }

  @Test
  void aSmallDeviationFarFromZero() {
    double[] numbers = numbers(5000, i -> 1e9 + i % 2);
    assertSpread(numbers, of(DType.F64, doubles(numbers)).finite());
    assertEquals(0.5, of(DType.F64, doubles(numbers)).finite().deviation(), 1e-12);
  }

  @Test
  void equalNumbersDoNotDeviate() {
    TensorStatistics.Finite found = of(DType.F64, doubles(numbers(10_000, i -> 0.1))).finite();
    assertEquals(0.1, found.mean());
    assertEquals(0, found.deviation(), 1e-17);
  }

  @Test
  void theMeanOfHugeNumbersIsFinite() {
    double most = Double.MAX_VALUE;
    assertEquals(most, of(DType.F64, doubles(most, most)).finite().mean(), most * 1e-15);
    byte[] data = doubles(numbers(4096, i -> i < 2048 ? most : -most));
    assertEquals(0, of(DType.F64, data).finite().mean());
  }

  private static double[] numbers(int count, IntToDoubleFunction function) {
    double[] numbers = new double[count];
    Arrays.setAll(numbers, function);
    return numbers;
  }

  @Test
  void nansAndInfinitiesAreCountedAndLeftOut() {
    double[] values =
        numbers(6000, i -> i % 5 == 0 ? Double.NaN : i % 7 == 0 ? Double.POSITIVE_INFINITY : i % 3);
    TensorStatistics found = of(DType.F32, floats(values));

    double[] finite = Arrays.stream(values).filter(Double::isFinite).toArray();
    assertEquals(1200, found.nans());
    assertEquals(Arrays.stream(values).filter(Double::isInfinite).count(), found.infinities());
    assertEquals(Arrays.stream(values).filter(v -> v == 0).count(), found.zeros());
    assertSpread(finite, found.finite());
  }

  @Test
  void nothingButNansHasNoMean() {
    TensorStatistics found = of(DType.F32, floats(Double.NaN, Double.NEGATIVE_INFINITY));
    assertEquals(0, found.finite().count());
    assertTrue(Double.isNaN(found.finite().min()) && Double.isNaN(found.finite().max()));
    assertTrue(Double.isNaN(found.finite().mean()) && Double.isNaN(found.finite().deviation()));
    assertEquals(0, found.zeroShare());
  }

  @ParameterizedTest
  @EnumSource(DType.class)
  void noElementsAreNothing(DType type) {
    TensorStatistics found = of(type, new byte[0]);
    assertEquals(TensorStatistics.NONE, found);
    assertTrue(Double.isNaN(found.zeroShare()));
  }

  @Test
  void complexNumbersAreCounted() {
    double nan = Double.NaN;
    double infinity = Double.POSITIVE_INFINITY;
    byte[] data = floats(0, -0.0, 0, 1, nan, 2, infinity, -infinity, infinity, nan, 3, 4);

    TensorStatistics found = of(DType.C64, data);

    assertEquals(new TensorStatistics(6, 2, 1, 1, TensorStatistics.Finite.NONE), found);
    byte[] many = new byte[8 * 5000];
    assertEquals(5000, of(DType.C64, many).zeros());
  }

  @ParameterizedTest
  @EnumSource(DType.class)
  void partsInAnyOrderMakeTheWhole(DType type) {
    byte[] data = new byte[8 * 7001];
    new Random(type.name().hashCode()).nextBytes(data);
    if (type == DType.F64) {
      // Distances between random doubles have no finite squares.
      data = doubles(new SplittableRandom(1).doubles(7001, -1, 1).toArray());
    }
    int elements = data.length / type.bytes();
    TensorStatistics whole = TensorStatistics.of(type, data, 0, elements);
    List<TensorStatistics> parts = new ArrayList<>();
    SplittableRandom random = new SplittableRandom(5);
    for (int from = 0; from < elements; ) {
      int count = Math.min(elements - from, 1 + random.nextInt(1500));
      parts.add(TensorStatistics.of(type, data, from * type.bytes(), count));
      from += count;
    }
    Collections.shuffle(parts, new Random(7));

    TensorStatistics sum = parts.stream().reduce(TensorStatistics.NONE, TensorStatistics::plus);

    assertTrue(parts.size() > 3);
    assertEquals(whole.elements(), sum.elements());
    assertEquals(whole.nans(), sum.nans());
    assertEquals(whole.infinities(), sum.infinities());
    assertEquals(whole.zeros(), sum.zeros());
    assertEquals(whole.finite().count(), sum.finite().count());
    assertEquals(whole.finite().min(), sum.finite().min());
    assertEquals(whole.finite().max(), sum.finite().max());
    if (type == DType.C64) {
      assertEquals(0, sum.finite().count());
      return;
    }
    double deviation = whole.finite().deviation();
    assertEquals(deviation, sum.finite().deviation(), 1e-12 * deviation);
    assertEquals(whole.finite().mean(), sum.finite().mean(), 1e-12 * deviation);
  }

  @Test
  void takesItsRangeAlone() {
    byte[] data = new byte[17];
    Arrays.fill(data, (byte) 0xFF);
    System.arraycopy(floats(1, 3), 0, data, 5, 8);
    TensorStatistics.Finite found = TensorStatistics.of(DType.F32, data, 5, 2).finite();
    assertEquals(new TensorStatistics.Finite(2, 1, 3, 2, 2), found);
    assertThrows(
        IndexOutOfBoundsException.class, () -> TensorStatistics.of(DType.F32, data, 10, 2));
  }
}
