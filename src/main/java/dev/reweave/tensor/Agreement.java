package dev.reweave.tensor;

import java.io.Serializable;

/**
 * What comparing elements with their second copy came to. NaNs are the same whatever their bits,
 * and so are zeros whatever their sign: writers of 16 bits have NaNs of their own, and some flush
 * tiny numbers to zeros of one sign.
 *
 * @param compared number of elements
 * @param differing those whose numbers differ
 * @param beyond those of them that are no neighbours: between the two lies another number of the
 *     type
 * @param difference sum of the squares of the differences
 * @param magnitude sum of the squares of the second copy's numbers
 */
public record Agreement(
    long compared, long differing, long beyond, double difference, double magnitude)
    implements Serializable {
  /** Of no elements. */
  public static final Agreement NONE = new Agreement(0, 0, 0, 0, 0);

  private static final int BLOCK = 1024;

  /**
   * Compares little-endian elements of one floating-point type.
   *
   * @param at first byte of both
   */
  public static Agreement of(DType type, byte[] ours, byte[] theirs, int at, int elements) {
    double[] first = new double[Math.min(elements, BLOCK)];
    double[] second = new double[first.length];
    Agreement all = NONE;
    for (int done = 0; done < elements; done += BLOCK) {
      int count = Math.min(BLOCK, elements - done);
      int offset = at + done * type.bytes();
      Numbers.read(type, ours, offset, first, count);
      Numbers.read(type, theirs, offset, second, count);
      long differing = 0;
      long beyond = 0;
      double difference = 0;
      double magnitude = 0;
      for (int i = 0; i < count; i++) {
        double x = first[i];
        double y = second[i];
        if (x != y && !(Double.isNaN(x) && Double.isNaN(y))) {
          int byteOfElement = offset + i * type.bytes();
          differing++;
          beyond += areNeighbours(type, ours, theirs, byteOfElement) ? 0 : 1;
          double apart = x - y;
          difference += Double.isFinite(apart) ? apart * apart : Double.MAX_VALUE / elements / 4;
        }
        magnitude += Double.isFinite(y) ? y * y : 0;
      }
      all = all.plus(new Agreement(count, differing, beyond, difference, magnitude));
    }
    return all;
  }

  /** Bits of a floating-point number, less its sign, count numbers from zero on. */
  private static boolean areNeighbours(DType type, byte[] ours, byte[] theirs, int at) {
    return Math.abs(rank(type, ours, at) - rank(type, theirs, at)) <= 1;
  }

  private static long rank(DType type, byte[] data, int at) {
    long bits = Numbers.bits(data, at, type.bytes());
    long magnitude = bits & ((1L << (Byte.SIZE * type.bytes() - 1)) - 1);
    return bits < 0 ? -magnitude : magnitude;
  }

  /** Of the elements of both. */
  public Agreement plus(Agreement other) {
    return new Agreement(
        compared + other.compared(),
        differing + other.differing(),
        beyond + other.beyond(),
        difference + other.difference(),
        magnitude + other.magnitude());
  }

  /** How far the elements are off, as a part of their own magnitude. */
  public double relative() {
    return magnitude == 0 ? (differing == 0 ? 0 : 1) : Math.sqrt(difference / magnitude);
  }
}
