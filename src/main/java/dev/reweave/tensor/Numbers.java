package dev.reweave.tensor;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Little-endian elements of any type as doubles: exact, but for 64-bit integers beyond 2^53, which
 * are rounded. A complex number is two numbers; a bool is 1 unless its byte is 0; of types that are
 * narrower than a byte, each byte is a number without a meaning of its own.
 *
 * <p>The 8-bit floating-point types are those of the ONNX and OCP specifications ("Float stored in
 * 8 bits", "OCP 8-bit Floating Point", "OCP Microscaling Formats"), as torch has them.
 */
final class Numbers {
  private static final VarHandle SHORTS = view(short[].class);
  private static final VarHandle INTS = view(int[].class);
  private static final VarHandle LONGS = view(long[].class);

  private static final double[] E5M2 = new double[256];
  private static final double[] E4M3 = small(3, 7);
  private static final double[] E4M3FNUZ = small(3, 8);
  private static final double[] E5M2FNUZ = small(2, 16);
  private static final double[] E8M0 = new double[256];

  static {
    for (int bits = 0; bits < 256; bits++) {
      E5M2[bits] = Float.intBitsToFloat(FloatBits.halfToFloat(bits << 8));
      E8M0[bits] = bits == 0xFF ? Double.NaN : Math.scalb(1.0, bits - 127);
    }
    E4M3[0x7F] = Double.NaN;
    E4M3[0xFF] = Double.NaN;
    // Finite, and one NaN where minus zero would be.
    E4M3FNUZ[0x80] = Double.NaN;
    E5M2FNUZ[0x80] = Double.NaN;
  }

  private Numbers() {}

  private static VarHandle view(Class<?> array) {
    return MethodHandles.byteArrayViewVarHandle(array, ByteOrder.LITTLE_ENDIAN);
  }

  private static double[] small(int mantissaBits, int bias) {
    double[] numbers = new double[256];
    int one = 1 << mantissaBits;
    for (int bits = 0; bits < 256; bits++) {
      int exponent = (bits & 0x7F) >> mantissaBits;
      int mantissa = bits & (one - 1);
      double magnitude =
          exponent == 0
              ? Math.scalb((double) mantissa, 1 - bias - mantissaBits)
              : Math.scalb((double) (one + mantissa), exponent - bias - mantissaBits);
      numbers[bits] = bits < 0x80 ? magnitude : -magnitude;
    }
    return numbers;
  }

  /** How many numbers one element is. */
  static int perElement(DType type) {
    return type == DType.C64 ? 2 : 1;
  }

  /** Bytes of one number. */
  static int bytes(DType type) {
    return type.bytes() / perElement(type);
  }

  /** Puts {@code count} numbers from byte {@code offset} on at the start of {@code out}. */
  static void read(DType type, byte[] in, int offset, double[] out, int count) {
    switch (type) {
      case BOOL -> {
        for (int i = 0; i < count; i++) {
          out[i] = in[offset + i] == 0 ? 0 : 1;
        }
      }
      case U8, F4, F6_E2M3, F6_E3M2 -> {
        for (int i = 0; i < count; i++) {
          out[i] = in[offset + i] & 0xFF;
        }
      }
      case I8 -> {
        for (int i = 0; i < count; i++) {
          out[i] = in[offset + i];
        }
      }
      case F8_E5M2 -> look(E5M2, in, offset, out, count);
      case F8_E4M3 -> look(E4M3, in, offset, out, count);
      case F8_E8M0 -> look(E8M0, in, offset, out, count);
      case F8_E4M3FNUZ -> look(E4M3FNUZ, in, offset, out, count);
      case F8_E5M2FNUZ -> look(E5M2FNUZ, in, offset, out, count);
      case I16 -> {
        for (int i = 0; i < count; i++) {
          out[i] = (short) SHORTS.get(in, offset + 2 * i);
        }
      }
      case U16 -> {
        for (int i = 0; i < count; i++) {
          out[i] = (short) SHORTS.get(in, offset + 2 * i) & 0xFFFF;
        }
      }
      case F16 -> {
        for (int i = 0; i < count; i++) {
          int bits = (short) SHORTS.get(in, offset + 2 * i);
          out[i] = Float.intBitsToFloat(FloatBits.halfToFloat(bits));
        }
      }
      case BF16 -> {
        for (int i = 0; i < count; i++) {
          int bits = (short) SHORTS.get(in, offset + 2 * i);
          out[i] = Float.intBitsToFloat(FloatBits.bfloat16ToFloat(bits));
        }
      }
      case I32 -> {
        for (int i = 0; i < count; i++) {
          out[i] = (int) INTS.get(in, offset + 4 * i);
        }
      }
      case U32 -> {
        for (int i = 0; i < count; i++) {
          out[i] = (int) INTS.get(in, offset + 4 * i) & 0xFFFFFFFFL;
        }
      }
      case F32, C64 -> {
        for (int i = 0; i < count; i++) {
          out[i] = Float.intBitsToFloat((int) INTS.get(in, offset + 4 * i));
        }
      }
      case F64 -> {
        for (int i = 0; i < count; i++) {
          out[i] = Double.longBitsToDouble((long) LONGS.get(in, offset + 8 * i));
        }
      }
      case I64 -> {
        for (int i = 0; i < count; i++) {
          out[i] = (double) (long) LONGS.get(in, offset + 8 * i);
        }
      }
      case U64 -> {
        for (int i = 0; i < count; i++) {
          out[i] = unsigned((long) LONGS.get(in, offset + 8 * i));
        }
      }
    }
  }

  /** Whether elements of a type are floats, or become floats without loss. */
  static boolean areFloats(DType type) {
    return type == DType.F32 || type == DType.BF16 || type == DType.F16;
  }

  /** Puts {@code count} numbers of such a type at the start of {@code out}. */
  static void readFloats(DType type, byte[] in, int offset, float[] out, int count) {
    if (type == DType.F32) {
      ByteBuffer.wrap(in, offset, 4 * count)
          .order(ByteOrder.LITTLE_ENDIAN)
          .asFloatBuffer()
          .get(out, 0, count);
      return;
    }
    boolean half = type == DType.F16;
    for (int i = 0; i < count; i++) {
      int bits = (short) SHORTS.get(in, offset + 2 * i);
      out[i] =
          Float.intBitsToFloat(
              half ? FloatBits.halfToFloat(bits) : FloatBits.bfloat16ToFloat(bits));
    }
  }

  /** The little-endian bits of one number. */
  static long bits(byte[] in, int at, int bytes) {
    return switch (bytes) {
      case 1 -> in[at];
      case 2 -> (short) SHORTS.get(in, at);
      case 4 -> (int) INTS.get(in, at);
      default -> (long) LONGS.get(in, at);
    };
  }

  /** How far two 64-bit integers are apart: rounded once, however large they are. */
  static double apart(DType type, long a, long b) {
    boolean aIsMore = type == DType.U64 ? Long.compareUnsigned(a, b) > 0 : a > b;
    return unsigned(aIsMore ? a - b : b - a);
  }

  private static double unsigned(long bits) {
    return bits >= 0 ? (double) bits : new BigInteger(Long.toUnsignedString(bits)).doubleValue();
  }

  private static void look(double[] table, byte[] in, int offset, double[] out, int count) {
    for (int i = 0; i < count; i++) {
      out[i] = table[in[offset + i] & 0xFF];
    }
  }
}
