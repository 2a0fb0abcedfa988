package dev.reweave.tensor;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Which elements a cast makes infinite. */
class CastOverflowTest {
  private static final int OFFSET = 16;
  private static final int ELEMENTS = 9;

  /** Elements of a type, behind 16 bytes that are infinities of every type and belong to nobody. */
  private static byte[] bytes(DType type, double... values) {
    ByteBuffer out = ByteBuffer.allocate(OFFSET + values.length * type.bytes() + OFFSET);
    out.order(ByteOrder.LITTLE_ENDIAN);
    out.putLong(0x7FF0000000000000L).putInt(0x7F800000).putShort((short) 0x7C00);
    out.putShort((short) 0x7F80);
    for (double value : values) {
      switch (type) {
        case F64 -> out.putDouble(value);
        case F32 -> out.putFloat((float) value);
        case BF16 -> out.putShort((short) (Float.floatToRawIntBits((float) value) >>> 16));
        default -> throw new IllegalArgumentException(type.toString());
      }
    }
    out.putLong(0x7FF0000000000000L).putInt(0x7F800000).putShort((short) 0x7C00);
    return out.array();
  }

  private static long overflows(DType from, DType to, double... values) {
    byte[] in = bytes(from, values);
    byte[] out = new byte[OFFSET + values.length * to.bytes()];
    Cast cast = Cast.between(from, to);
    cast.apply(in, OFFSET, out, OFFSET, values.length);
    return ValueFacts.ofCast(cast, in, OFFSET, out, OFFSET, values.length, 0).overflows();
  }

  /** Three finite ones beyond the type, infinities and a NaN as they were, and the rest within. */
  @ParameterizedTest
  @CsvSource({
    "F32, F16, 65520, 65519",
    "F64, F16, 65520, 65519",
    "BF16, F16, 65536, 65280",
    "F64, F32, 3.5e38, 3.4e38",
    "F64, BF16, 3.4e38, 3.38e38",
    "F32, BF16, 3.4e38, 3.38e38"
  })
  void finiteElementsThatBecomeInfinite(DType from, DType to, double least, double most) {
    double infinite = Double.POSITIVE_INFINITY;

    assertEquals(
        3,
        overflows(from, to, 1, least, -infinite, Double.NaN, -least, infinite, most, least, -most));
    assertEquals(0, overflows(from, to, infinite, -infinite, Double.NaN, most, -most));
    assertEquals(1, overflows(from, to, -least));
  }

  /** From a type of the same range, or to one of the widest. */
  @ParameterizedTest
  @CsvSource({"F32, F64", "BF16, F32", "BF16, F64"})
  void widerTypesTakeAll(DType from, DType to) {
    double[] values = new double[ELEMENTS];
    Arrays.fill(values, 3.38e38);
    values[3] = Double.NEGATIVE_INFINITY;

    assertEquals(0, overflows(from, to, values));
  }

  @Test
  void halvesAreTooSmallToOverflow() {
    byte[] halves = {(byte) 0xff, 0x7b, 0, 0x7c}; // 65504, and infinity
    byte[] out = new byte[4];
    Cast cast = Cast.between(DType.F16, DType.BF16);
    cast.apply(halves, 0, out, 0, 2);

    assertEquals(0, ValueFacts.ofCast(cast, halves, 0, out, 0, 2, 0).overflows());
  }

  /** What is copied was infinite before. */
  @Test
  void copiesDoNotOverflow() {
    assertEquals(
        0, overflows(DType.F32, DType.F32, 1, Double.NEGATIVE_INFINITY, 3.4e38, Double.NaN));
  }
}
