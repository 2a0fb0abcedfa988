package dev.reweave.tensor;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.EnumMap;
import java.util.Map;

/**
 * What the numbers of 8 bits are as F32, all of them exactly. NaNs have the bits that torch gives
 * them on a CPU (seen with torch 2.15).
 */
final class Float8 {
  private static final VarHandle INTS =
      MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);
  private static final int BYTES = 256;
  private static final Map<DType, int[]> FLOATS = new EnumMap<>(DType.class);

  static {
    for (DType type : DType.values()) {
      if (type.isFloat8()) {
        FLOATS.put(type, table(type));
      }
    }
  }

  private Float8() {}

  private static int[] table(DType type) {
    byte[] all = new byte[BYTES];
    for (int i = 0; i < BYTES; i++) {
      all[i] = (byte) i;
    }
    double[] numbers = new double[BYTES];
    Numbers.read(type, all, 0, numbers, BYTES);
    int[] bits = new int[BYTES];
    for (int i = 0; i < BYTES; i++) {
      bits[i] =
          Double.isNaN(numbers[i]) ? nan(type, i) : Float.floatToRawIntBits((float) numbers[i]);
    }
    return bits;
  }

  private static int nan(DType type, int bits) {
    return switch (type) {
      case F8_E5M2 -> FloatBits.halfToFloat(bits << 8);
      case F8_E4M3 -> (bits & 0x80) << 24 | 0x7ff00000;
      default -> 0x7f800001;
    };
  }

  /** The bits of each byte's number, which must not change. */
  static int[] floats(DType type) {
    int[] floats = FLOATS.get(type);
    if (floats == null) {
      throw new IllegalArgumentException(type + " is no floating point of 8 bits");
    }
    return floats;
  }

  /** What torch's cast makes of a number: every NaN becomes the same in BF16. */
  static int toBfloat16(int bits) {
    return Float.isNaN(Float.intBitsToFloat(bits)) ? 0x7fc0 : FloatBits.floatToBfloat16(bits);
  }

  /** Makes products of numbers and one scale; source and target may overlap as the caller knows. */
  static void multiply(int[] floats, byte[] data, int source, int target, int count, float scale) {
    for (int i = 0; i < count; i++) {
      float number = Float.intBitsToFloat(floats[data[source + i] & 0xFF]);
      INTS.set(data, target + 4 * i, Float.floatToRawIntBits(number * scale));
    }
  }
}
