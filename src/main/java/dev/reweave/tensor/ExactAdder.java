package dev.reweave.tensor;

import java.math.BigDecimal;
import java.math.BigInteger;

/**
 * Adds doubles without rounding, at the price of a few additions of integers each: a sum of 32 bits
 * for each power of two to the 32nd, which carry only when the sum is told. For up to 2^30 doubles.
 *
 * <p>So do Radford M. Neal's "Fast exact summation using small and large superaccumulators" (2015).
 */
final class ExactAdder {
  private static final int LIMB_BITS = 32;
  private static final long LIMB = 0xFFFFFFFFL;
  private static final int MANTISSA_BITS = 52;
  private static final long MANTISSA = (1L << MANTISSA_BITS) - 1;

  /** The least double is two to the minus this. */
  private static final int LEAST = 1074;

  private final long[] limbs = new long[(LEAST + Double.MAX_EXPONENT) / LIMB_BITS + 2];
  private boolean overflowed;

  /** Adds a number; one that is not finite makes the sum too large to be told. */
  void add(double number) {
    if (!Double.isFinite(number)) {
      overflowed = true;
      return;
    }
    long bits = Double.doubleToRawLongBits(number);
    int exponent = (int) (bits >>> MANTISSA_BITS) & 0x7FF;
    long mantissa = bits & MANTISSA;
    // A subnormal has no leading one, and the exponent of the least normal.
    int shift = exponent == 0 ? 0 : exponent - 1;
    mantissa |= exponent == 0 ? 0 : MANTISSA + 1;
    int limb = shift / LIMB_BITS;
    int within = shift % LIMB_BITS;
    long sign = bits < 0 ? -1 : 1;
    long low = (mantissa & LIMB) << within;
    long high = (mantissa >>> LIMB_BITS) << within;
    limbs[limb] += sign * (low & LIMB);
    limbs[limb + 1] += sign * ((low >>> LIMB_BITS) + (high & LIMB));
    limbs[limb + 2] += sign * (high >>> LIMB_BITS);
  }

  /** What was added so far; from here on the sum is that of nothing again. */
  ExactSum take() {
    BigInteger sum = BigInteger.ZERO;
    for (int i = limbs.length - 1; i >= 0; i--) {
      sum = sum.shiftLeft(LIMB_BITS).add(BigInteger.valueOf(limbs[i]));
      limbs[i] = 0;
    }
    ExactSum taken = new ExactSum(times(sum, -LEAST), overflowed);
    overflowed = false;
    return taken;
  }

  /** A number times a power of two, in as few digits as that takes. */
  private static BigDecimal times(BigInteger number, int power) {
    if (number.signum() == 0) {
      return BigDecimal.ZERO;
    }
    int zeros = number.getLowestSetBit();
    BigInteger odd = number.shiftRight(zeros);
    int exponent = power + zeros;
    return exponent >= 0
        ? new BigDecimal(odd.shiftLeft(exponent))
        : new BigDecimal(odd.multiply(BigInteger.valueOf(5).pow(-exponent)), -exponent);
  }
}
