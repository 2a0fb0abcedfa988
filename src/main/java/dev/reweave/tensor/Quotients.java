package dev.reweave.tensor;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Objects;

/**
 * Divides little-endian elements by a number, as {@code tensor / number} of torch does on a CPU:
 * the divisor is rounded to F32, elements narrower than that are divided as F32, and the quotient
 * is rounded to their type. F64 is divided as it is.
 */
public final class Quotients {
  private static final VarHandle SHORTS = view(short[].class);
  private static final VarHandle INTS = view(int[].class);
  private static final VarHandle LONGS = view(long[].class);

  private Quotients() {}

  private static VarHandle view(Class<?> array) {
    return MethodHandles.byteArrayViewVarHandle(array, ByteOrder.LITTLE_ENDIAN);
  }

  /**
   * Requires a number that F32 can divide by.
   *
   * @throws IllegalArgumentException if it is none: zero, infinite, or one when rounded
   */
  static void requireDivisor(double divisor) {
    if (!Float.isFinite((float) divisor) || (float) divisor == 0) {
      throw new IllegalArgumentException("nothing can be divided by " + divisor);
    }
  }

  /**
   * Divides elements in place.
   *
   * @param type of the elements, castable
   * @param offset where the first one starts
   * @param divisor finite and not 0, as F32 too
   * @throws IndexOutOfBoundsException if the elements do not fit in the array
   */
  public static void divide(DType type, byte[] data, int offset, int elements, double divisor) {
    Objects.checkFromIndexSize((long) offset, (long) elements * type.bytes(), data.length);
    requireDivisor(divisor);
    float narrow = (float) divisor;
    int end = offset + elements * type.bytes();
    for (int at = offset; at < end; at += type.bytes()) {
      switch (type) {
        case F16 -> {
          float value = Float.intBitsToFloat(FloatBits.halfToFloat((short) SHORTS.get(data, at)));
          SHORTS.set(data, at, (short) FloatBits.floatToHalf(bits(value / narrow)));
        }
        case BF16 -> {
          float value =
              Float.intBitsToFloat(FloatBits.bfloat16ToFloat((short) SHORTS.get(data, at)));
          SHORTS.set(data, at, (short) FloatBits.floatToBfloat16(bits(value / narrow)));
        }
        case F32 -> {
          float value = Float.intBitsToFloat((int) INTS.get(data, at));
          INTS.set(data, at, bits(value / narrow));
        }
        case F64 -> {
          double value = Double.longBitsToDouble((long) LONGS.get(data, at));
          LONGS.set(data, at, Double.doubleToRawLongBits(value / divisor));
        }
        default -> throw new IllegalArgumentException("no quotient of " + type + " elements");
      }
    }
  }

  private static int bits(float value) {
    return Float.floatToRawIntBits(value);
  }
}
