package dev.reweave.tensor;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Objects;

/**
 * The mean of little-endian elements of several steps: added up as F64, from the first step on, and
 * rounded once. For F32 and narrower types no sum of fewer than 2^29 steps is rounded on the way if
 * all are the same, so that the mean of one number is that number.
 */
public final class StepMeans {
  private static final VarHandle SHORTS = view(short[].class);
  private static final VarHandle INTS = view(int[].class);
  private static final VarHandle LONGS = view(long[].class);

  private StepMeans() {}

  private static VarHandle view(Class<?> array) {
    return MethodHandles.byteArrayViewVarHandle(array, ByteOrder.LITTLE_ENDIAN);
  }

  /** The type that the mean of elements of a type has: F64 of F64, and F32 of all others. */
  public static DType typeOf(DType type) {
    return type == DType.F64 ? DType.F64 : DType.F32;
  }

  /**
   * Takes the mean.
   *
   * @param type of the elements of the steps, castable
   * @param steps the elements of one step behind those of another
   * @param offset where the first step's start
   * @param elements of one step
   * @param count how many steps there are
   * @param target gets the means, of {@link #typeOf} the type
   * @param at where they start
   * @throws IndexOutOfBoundsException if they do not fit in the arrays
   */
  public static void mean(
      DType type, byte[] steps, int offset, int elements, int count, byte[] target, int at) {
    int size = type.bytes();
    int bytes = elements * size;
    DType mean = typeOf(type);
    Objects.checkFromIndexSize((long) offset, (long) bytes * count, steps.length);
    Objects.checkFromIndexSize((long) at, (long) elements * mean.bytes(), target.length);
    for (int e = 0; e < elements; e++) {
      int from = offset + e * size;
      // No zero before the first: it would make a negative zero positive.
      double sum = value(type, steps, from);
      for (int s = 1; s < count; s++) {
        sum += value(type, steps, from + s * bytes);
      }
      if (mean == DType.F64) {
        LONGS.set(target, at + e * Double.BYTES, Double.doubleToRawLongBits(sum / count));
      } else {
        INTS.set(target, at + e * Float.BYTES, Float.floatToRawIntBits((float) (sum / count)));
      }
    }
  }

  private static double value(DType type, byte[] data, int at) {
    return switch (type) {
      case F64 -> Double.longBitsToDouble((long) LONGS.get(data, at));
      case F16 -> Float.intBitsToFloat(FloatBits.halfToFloat((short) SHORTS.get(data, at)));
      case BF16 -> Float.intBitsToFloat(FloatBits.bfloat16ToFloat((short) SHORTS.get(data, at)));
      case F32 -> Float.intBitsToFloat((int) INTS.get(data, at));
      default -> throw new IllegalArgumentException("no mean of " + type + " elements");
    };
  }
}
