package dev.reweave.tensor;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/**
 * What little-endian elements of each real type are as numbers. Integers of 64 bits are rounded to
 * the nearest double; a bool is 1 unless its byte is 0.
 *
 * <p>The eight-bit types are those of torch's {@code c10/util/Float8_*.h}: E5M2 is the upper byte
 * of a half; E4M3 ("fn") has no infinities; the "fnuz" types have a bias one higher, no infinities
 * and no negative zero, whose bits are their only NaN; E8M0 is a power of two without sign.
 */
final class Numbers {
  private static final VarHandle SHORTS = view(short[].class);
  private static final VarHandle INTS = view(int[].class);
  private static final VarHandle LONGS = view(long[].class);

  private static final double[] E5M2 = table(b -> half(b << 8));
  private static final double[] E4M3 = table(b -> (b & 0x7F) == 0x7F ? Double.NaN : small(b, 3, 7));
  private static final double[] E4M3FNUZ = table(b -> b == 0x80 ? Double.NaN : small(b, 3, 8));
  private static final double[] E5M2FNUZ = table(b -> b == 0x80 ? Double.NaN : small(b, 2, 16));
  private static final double[] E8M0 =
      table(b -> b == 0xFF ? Double.NaN : Math.scalb(1.0, b - 127));

  private interface Decoding {
    double of(int bits);
  }

  private Numbers() {}

  private static VarHandle view(Class<?> array) {
    return MethodHandles.byteArrayViewVarHandle(array, ByteOrder.LITTLE_ENDIAN);
  }

  private static double[] table(Decoding decoding) {
    double[] values = new double[256];
    for (int b = 0; b < values.length; b++) {
      values[b] = decoding.of(b);
    }
    return values;
  }

  private static double half(int bits) {
    return Float.intBitsToFloat(FloatBits.halfToFloat(bits));
  }

  /** A number of eight bits: a sign, then the exponent, then the fraction. */
  private static double small(int bits, int fractionBits, int bias) {
    int fraction = bits & ((1 << fractionBits) - 1);
    int exponent = (bits & 0x7F) >> fractionBits;
    int significand = exponent == 0 ? fraction : fraction | 1 << fractionBits;
    double magnitude =
        Math.scalb((double) significand, Math.max(1, exponent) - bias - fractionBits);
    return (bits & 0x80) == 0 ? magnitude : -magnitude;
  }

  /**
   * Takes elements apart.
   *
   * @param offset first byte of the first element
   * @param values takes the numbers, from its start
   * @throws IllegalArgumentException for complex numbers
   */
  static void read(DType type, byte[] data, int offset, double[] values, int elements) {
    switch (type) {
      case BOOL -> {
        for (int i = 0; i < elements; i++) {
          values[i] = data[offset + i] == 0 ? 0 : 1;
        }
      }
      case U8 -> {
        for (int i = 0; i < elements; i++) {
          values[i] = data[offset + i] & 0xFF;
        }
      }
      case I8 -> {
        for (int i = 0; i < elements; i++) {
          values[i] = data[offset + i];
        }
      }
      case F8_E5M2 -> look(E5M2, data, offset, values, elements);
      case F8_E4M3 -> look(E4M3, data, offset, values, elements);
      case F8_E8M0 -> look(E8M0, data, offset, values, elements);
      case F8_E4M3FNUZ -> look(E4M3FNUZ, data, offset, values, elements);
      case F8_E5M2FNUZ -> look(E5M2FNUZ, data, offset, values, elements);
      case I16, U16, F16, BF16 -> readShorts(type, data, offset, values, elements);
      case I32, U32, F32 -> readInts(type, data, offset, values, elements);
      case F64, I64, U64 -> readLongs(type, data, offset, values, elements);
      case C64 -> throw new IllegalArgumentException("complex numbers are pairs of numbers");
    }
  }

  private static void look(double[] table, byte[] data, int offset, double[] values, int elements) {
    for (int i = 0; i < elements; i++) {
      values[i] = table[data[offset + i] & 0xFF];
    }
  }

  private static void readShorts(
      DType type, byte[] data, int offset, double[] values, int elements) {
    for (int i = 0; i < elements; i++) {
      short bits = (short) SHORTS.get(data, offset + Short.BYTES * i);
      values[i] =
          switch (type) {
            case F16 -> half(bits);
            case BF16 -> Float.intBitsToFloat(FloatBits.bfloat16ToFloat(bits));
            case U16 -> bits & 0xFFFF;
            default -> bits;
          };
    }
  }

  private static void readInts(DType type, byte[] data, int offset, double[] values, int elements) {
    for (int i = 0; i < elements; i++) {
      int bits = (int) INTS.get(data, offset + Integer.BYTES * i);
      values[i] =
          switch (type) {
            case F32 -> Float.intBitsToFloat(bits);
            case U32 -> Integer.toUnsignedLong(bits);
            default -> bits;
          };
    }
  }

  private static void readLongs(
      DType type, byte[] data, int offset, double[] values, int elements) {
    for (int i = 0; i < elements; i++) {
      long bits = (long) LONGS.get(data, offset + Long.BYTES * i);
      values[i] =
          switch (type) {
            case F64 -> Double.longBitsToDouble(bits);
            case U64 -> unsigned(bits);
            default -> bits;
          };
    }
  }

  /** Nearest, as for a signed number: the last bit is kept sticky, since half of it is rounded. */
  private static double unsigned(long bits) {
    return bits >= 0 ? bits : 2.0 * ((bits >>> 1) | (bits & 1));
  }
}
