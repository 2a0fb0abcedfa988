package dev.reweave.storage;

/**
 * What a CRC becomes when bytes follow: the remainder of its polynomial over bits times a power of
 * x. The highest bit of a number is the coefficient of the lowest power.
 */
final class CrcShift {
  private static final int X = 1 << 30;

  private final int polynomial;

  /** x to the power of 8 (the bits of a byte), 16, 32 and so on. */
  private final int[] powers = new int[Long.SIZE];

  /**
   * Of a CRC.
   *
   * @param polynomial without its highest power
   */
  CrcShift(int polynomial) {
    this.polynomial = polynomial;
    int power = X;
    for (int bits = 1; bits < Byte.SIZE; bits *= 2) {
      power = product(power, power);
    }
    for (int i = 0; i < powers.length; i++) {
      powers[i] = power;
      power = product(power, power);
    }
  }

  /** The CRC with so many bytes behind it. */
  int by(long bytes, int crc) {
    int shifted = crc;
    for (long left = bytes; left != 0; left &= left - 1) {
      shifted = product(powers[Long.numberOfTrailingZeros(left)], shifted);
    }
    return shifted;
  }

  private int product(int first, int second) {
    int product = 0;
    int multiple = second;
    for (int left = first; left != 0; left <<= 1) {
      product ^= multiple & (left >> 31);
      multiple = (multiple >>> 1) ^ (polynomial & -(multiple & 1));
    }
    return product;
  }
}
