package dev.reweave.tensor;

/**
 * Conversions of single values between the bit patterns of floating point types.
 *
 * <p>The 16-bit types are low halves of an {@code int}. NaNs are converted by their bits: what Java
 * and C make of a NaN's payload is left to the processor.
 */
final class FloatBits {
  private static final int MAGNITUDE = 0x7fffffff;
  private static final int INFINITY = 0x7f800000;
  private static final int QUIET = 0x00400000;

  private static final int HALF_INFINITY = 0x7c00;

  /** What the bias of a float's exponent is above that of a half's. */
  private static final int REBIAS = (127 - 15) << 23;

  /** 2^16: the least magnitude that is infinite in half precision even if rounded down. */
  private static final int HALF_OVERFLOW = 0x47800000;

  /** 2^-14: the least normal number of half precision. */
  private static final int HALF_NORMAL = 0x38800000;

  private static final float HALF_NORMAL_VALUE = 0x1p-14f;

  /** 0.5: its last place is 2^-24, the least subnormal of half precision. */
  private static final int HALF_LAST_PLACE = 0x3f000000;

  private static final long MAGNITUDE_64 = Long.MAX_VALUE;
  private static final long INFINITY_64 = 0x7ff0000000000000L;

  private FloatBits() {}

  /** Nearest even; every NaN becomes {@code 0xffff}. */
  static int floatToBfloat16(int bits) {
    int nearest = (bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16;
    return (bits & MAGNITUDE) > INFINITY ? 0xffff : nearest;
  }

  static int bfloat16ToFloat(int bits) {
    return bits << 16;
  }

  /** Nearest even; a NaN keeps its sign and the high bits of its payload, and becomes quiet. */
  static int floatToHalf(int bits) {
    int sign = (bits >>> 16) & 0x8000;
    int magnitude = bits & MAGNITUDE;
    if (magnitude >= HALF_NORMAL && magnitude < HALF_OVERFLOW) {
      // A carry out of the mantissa rightly raises the exponent.
      return sign | ((magnitude - REBIAS + 0xfff + ((magnitude >>> 13) & 1)) >>> 13);
    }
    if (magnitude < HALF_NORMAL) {
      // Adding 0.5 makes the processor round to a multiple of 2^-24, to nearest even.
      float rounded = Float.intBitsToFloat(magnitude) + 0.5f;
      return sign | (Float.floatToRawIntBits(rounded) - HALF_LAST_PLACE);
    }
    int payload = magnitude > INFINITY ? 0x200 | ((magnitude >>> 13) & 0x3ff) : 0;
    return sign | HALF_INFINITY | payload;
  }

  /** Exact; a NaN keeps sign and payload, and becomes quiet. */
  static int halfToFloat(int bits) {
    int sign = (bits & 0x8000) << 16;
    int magnitude = bits & 0x7fff;
    int shifted = magnitude << 13;
    if (magnitude >= 0x400 && magnitude < HALF_INFINITY) {
      return sign | (shifted + REBIAS);
    }
    if (magnitude < 0x400) {
      // A mantissa times 2^-24: put it behind a leading one and take that away.
      float value = Float.intBitsToFloat(shifted + HALF_NORMAL) - HALF_NORMAL_VALUE;
      return sign | Float.floatToRawIntBits(value);
    }
    return sign | INFINITY | shifted | (magnitude == HALF_INFINITY ? 0 : QUIET);
  }

  /** Nearest even; a NaN keeps sign and the high bits of its payload, and becomes quiet. */
  static int doubleToFloat(long bits) {
    if ((bits & MAGNITUDE_64) > INFINITY_64) {
      int sign = (int) (bits >>> 32) & ~MAGNITUDE;
      return sign | INFINITY | QUIET | ((int) (bits >>> 29) & 0x007fffff);
    }
    return Float.floatToRawIntBits((float) Double.longBitsToDouble(bits));
  }

  /** Exact; a NaN keeps sign and payload, and becomes quiet. */
  static long floatToDouble(int bits) {
    if ((bits & MAGNITUDE) > INFINITY) {
      long sign = (long) (bits & ~MAGNITUDE) << 32;
      return sign | INFINITY_64 | (long) ((bits | QUIET) & 0x007fffff) << 29;
    }
    return Double.doubleToRawLongBits(Float.intBitsToFloat(bits));
  }

  /** Exact but for what bfloat16 cannot hold: nearest even; every NaN becomes {@code 0x7fc0}. */
  static int halfToBfloat16(int bits) {
    return (bits & 0x7fff) > HALF_INFINITY ? 0x7fc0 : floatToBfloat16(halfToFloat(bits));
  }
}
