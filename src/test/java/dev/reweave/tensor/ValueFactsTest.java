package dev.reweave.tensor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.testing.PlainCount;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** What is told of elements by their bits is what counting them as numbers gives. */
class ValueFactsTest {
  private static final int TRIALS = 400;

  private static ValueFacts of(DType type, byte[] data) {
    return ValueFacts.of(type, data, 0, data.length / type.bytes(), 0);
  }

  /** Elements of all kinds, more often at the bounds between them than chance would have it. */
  private static byte[] elements(DType type, int count, SplittableRandom random) {
    int bits = Byte.SIZE * type.bytes();
    long infinity =
        switch (type) {
          case F16 -> 0x7C00;
          case BF16 -> 0x7F80;
          case F32 -> 0x7F800000L;
          default -> 0x7FF0000000000000L;
        };
    long leastNormal = (1L << (bits - 1)) - infinity;
    long[] bounds = {0, 1, leastNormal - 1, leastNormal, infinity - 1, infinity, infinity + 1};
    ByteBuffer data = ByteBuffer.allocate(count * type.bytes()).order(ByteOrder.LITTLE_ENDIAN);
    int kinds = random.nextInt(1, 12);
    for (int i = 0; i < count; i++) {
      int kind = random.nextInt(kinds);
      long magnitude = kind < bounds.length ? bounds[kind] : random.nextLong();
      long number = magnitude | (random.nextBoolean() ? 1L << (bits - 1) : 0);
      switch (type.bytes()) {
        case Short.BYTES -> data.putShort((short) number);
        case Integer.BYTES -> data.putInt((int) number);
        default -> data.putLong(number);
      }
    }
    byte[] bytes = data.array();
    if (random.nextInt(5) == 0) {
      for (int i = type.bytes(); i < bytes.length; i++) {
        bytes[i] = bytes[i - type.bytes()];
      }
    }
    return bytes;
  }

  private static void assertCounts(PlainCount expected, ValueFacts found, long index) {
    assertEquals(expected.nans(), found.nans());
    assertEquals(expected.infinities(), found.infinities());
    assertEquals(expected.zeros(), found.sameness().zeros());
    assertEquals(expected.subnormals(), found.subnormals());
    assertEquals(expected.same(), found.sameness().uniform());
    assertEquals(
        expected.firstNonfinite() < 0 ? ValueFacts.NOWHERE : index + expected.firstNonfinite(),
        found.firstNonfinite());
  }

  @ParameterizedTest
  @EnumSource(names = {"F16", "BF16", "F32", "F64"})
  void countsWhatCountingNumbersGives(DType type) {
    SplittableRandom random = new SplittableRandom(type.name().hashCode());
    for (int trial = 0; trial < TRIALS; trial++) {
      int count = random.nextInt(1, 90);
      byte[] data = elements(type, count, random);
      int offset = random.nextInt(20);
      byte[] among = new byte[offset + data.length + 20];
      Arrays.fill(among, (byte) 0xFF);
      System.arraycopy(data, 0, among, offset, data.length);

      ValueFacts found = ValueFacts.of(type, among, offset, count, 1000);

      assertEquals(count, found.elements());
      assertCounts(PlainCount.of(type, data), found, 1000);
    }
  }

  /** Far more than a counter of sixteen bits holds, all of one kind. */
  @ParameterizedTest
  @CsvSource({
    "00, 00, 0, 0, 1, 0",
    "01, 00, 0, 0, 0, 1",
    "00, 3c, 0, 0, 0, 0",
    "00, fc, 0, 1, 0, 0",
    "01, 7c, 1, 0, 0, 0"
  })
  void countersDoNotOverflow(
      String low, String high, long nans, long infinities, long zeros, long subnormals) {
    byte[] half = {HexFormat.of().parseHex(low)[0], HexFormat.of().parseHex(high)[0]};
    int count = 700_001;
    byte[] data = new byte[2 * count];
    for (int i = 0; i < data.length; i++) {
      data[i] = half[i % 2];
    }

    ValueFacts found = of(DType.F16, data);

    assertEquals(nans * count, found.nans());
    assertEquals(infinities * count, found.infinities());
    assertEquals(zeros * count, found.sameness().zeros());
    assertEquals(subnormals * count, found.subnormals());
    assertTrue(found.areSame());
  }

  /** Chunks end anywhere and come in any order. */
  @ParameterizedTest
  @EnumSource(names = {"F16", "BF16", "F32", "F64", "U8", "I64", "F8_E4M3", "C64"})
  void partsMakeTheWholeInAnyOrder(DType type) {
    SplittableRandom random = new SplittableRandom(type.name().hashCode());
    for (int trial = 0; trial < TRIALS; trial++) {
      int count = random.nextInt(1, 90);
      byte[] data =
          type.isCastable() ? elements(type, count, random) : new byte[count * type.bytes()];
      if (!type.isCastable() && trial % 4 > 0) {
        random.nextBytes(data);
      }
      List<ValueFacts> parts = new ArrayList<>();
      parts.add(ValueFacts.NONE);
      int at = 0;
      while (at < count) {
        int length = random.nextInt(1, count - at + 1);
        parts.add(ValueFacts.of(type, data, at * type.bytes(), length, at));
        at += length;
      }
      Collections.shuffle(parts, new Random(trial));

      assertEquals(of(type, data), parts.stream().reduce(ValueFacts.NONE, ValueFacts::plus));
    }
  }

  @ParameterizedTest
  @CsvSource({
    "F32, F16",
    "F32, BF16",
    "F32, F64",
    "F64, F16",
    "F64, BF16",
    "F64, F32",
    "F16, BF16",
    "F16, F32",
    "F16, F64",
    "BF16, F16",
    "BF16, F32",
    "BF16, F64",
    "F32, F32"
  })
  void tellsWhatACastHasLost(DType from, DType to) {
    SplittableRandom random = new SplittableRandom((from + " to " + to).hashCode());
    for (int trial = 0; trial < TRIALS; trial++) {
      int count = random.nextInt(1, 90);
      byte[] in = elements(from, count, random);
      byte[] out = new byte[count * to.bytes()];
      Cast cast = Cast.between(from, to);
      cast.apply(in, 0, out, 0, count);

      ValueFacts found = ValueFacts.ofCast(cast, in, 0, out, 0, count, 0);

      ByteBuffer before = ByteBuffer.wrap(in).order(ByteOrder.LITTLE_ENDIAN);
      ByteBuffer after = ByteBuffer.wrap(out).order(ByteOrder.LITTLE_ENDIAN);
      long overflows = 0;
      long underflows = 0;
      for (int i = 0; i < count; i++) {
        double was = PlainCount.value(from, before, i);
        double is = PlainCount.value(to, after, i);
        overflows += Double.isFinite(was) && Double.isInfinite(is) ? 1 : 0;
        underflows += was != 0 && is == 0 ? 1 : 0;
      }
      assertEquals(overflows, found.overflows());
      assertEquals(underflows, found.underflows());
      assertCounts(PlainCount.of(to, out), found, 0);
    }
  }

  /** Elements as big-endian hexadecimal digits, then NaN, infinite, zero and subnormal ones. */
  @ParameterizedTest
  @CsvSource({
    "F8_E5M2, 00 80 01 83 04 7b 7c fc 7d ff, 2, 2, 2, 2",
    "F8_E4M3, 00 80 01 87 08 7e 7f ff, 2, 0, 2, 2",
    "F8_E4M3FNUZ, 00 80 01 87 08 7f, 1, 0, 1, 2",
    "F8_E5M2FNUZ, 00 80 01 83 04 7f, 1, 0, 1, 2",
    "F8_E8M0, 00 01 fe ff, 1, 0, 0, 0",
    "BOOL, 00 01 00, 0, 0, 2, 0",
    "U8, 00 80 ff 7f, 0, 0, 1, 0",
    "I16, 8000 0000 7f80, 0, 0, 1, 0",
    "I32, 80000000 00000000 7fc00000 00000001, 0, 0, 1, 0",
    "I64, 8000000000000000 0000000000000000, 0, 0, 1, 0",
    // Real and imaginary parts: zero, half zero, infinite, NaN and infinite.
    "C64, 8000000000000000 000000003f800000 7f80000000000000 7fc000007f800000, 1, 1, 1, 0",
  })
  void knowsEveryType(
      DType type, String elements, long nans, long infinities, long zeros, long subnormals) {
    String[] words = elements.split(" ", -1);
    ByteBuffer data = ByteBuffer.allocate(words.length * type.bytes());
    for (String word : words) {
      byte[] bytes = HexFormat.of().parseHex(word);
      for (int b = bytes.length - 1; b >= 0; b--) {
        data.put(bytes[b]);
      }
    }

    ValueFacts found = of(type, data.array());

    assertEquals(
        List.of(nans, infinities, zeros, subnormals),
        List.of(found.nans(), found.infinities(), found.sameness().zeros(), found.subnormals()));
    assertFalse(found.areSame());
    assertFalse(found.areZero());
  }

  @Test
  void firstComplexNumberThatIsNotFinite() {
    byte[] data = new byte[4 * DType.C64.bytes()];
    data[2 * 8 + 6] = (byte) 0x80;
    data[2 * 8 + 7] = 0x7F;

    assertEquals(12, ValueFacts.of(DType.C64, data, 0, 4, 10).firstNonfinite());
  }

  @Test
  void zerosOfBothSignsAreZerosAndNotTheSame() {
    ValueFacts zeros = of(DType.BF16, new byte[] {0, 0, 0, (byte) 0x80});

    assertTrue(zeros.areZero());
    assertFalse(zeros.areSame());
  }

  @Test
  void oneElementIsNotTheSameAsAnything() {
    assertFalse(of(DType.BF16, new byte[] {1, 2}).areSame());
    assertTrue(of(DType.BF16, new byte[] {1, 2, 1, 2}).areSame());
    assertFalse(ValueFacts.NONE.areSame());
    assertFalse(ValueFacts.NONE.areZero());
  }

  @Test
  void whatDoesNotFitIsRefused() {
    assertThrows(
        IndexOutOfBoundsException.class, () -> ValueFacts.of(DType.F32, new byte[16], 4, 4, 0));
  }
}
