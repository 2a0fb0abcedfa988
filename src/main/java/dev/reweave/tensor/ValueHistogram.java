package dev.reweave.tensor;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import java.io.Serializable;
import java.util.Arrays;
import java.util.Objects;

/**
 * How the values of a tensor, or of a part of it, are spread: one scale for all tensors, a bin for
 * each power of two and each sign. Parts can be put together in any order.
 *
 * <p>A number {@code x} belongs to the exponent {@code floor(log2(|x|))}, of which those beyond
 * {@link #LOWEST} and {@link #HIGHEST} are counted there. Zeros, NaNs and infinities are in no bin.
 * Complex numbers and types that are narrower than a byte are not counted.
 */
public final class ValueHistogram implements Serializable {
  private static final long serialVersionUID = 1L;

  /** Least exponent with a bin of its own. */
  public static final int LOWEST = -24;

  /** Greatest exponent with a bin of its own. */
  public static final int HIGHEST = 7;

  private static final int OF_ONE_SIGN = HIGHEST - LOWEST + 1;

  /** Negative numbers from the largest magnitude to the smallest, then positive ones upwards. */
  public static final int BINS = 2 * OF_ONE_SIGN;

  /** Of no elements, and where nobody asked for one. */
  public static final ValueHistogram NONE = new ValueHistogram(new long[0]);

  private static final int BLOCK = 2048;
  private static final int EXPONENTS_OF_FLOAT = 1 << 8;
  private static final int EXPONENTS_OF_DOUBLE = 1 << 11;

  private final long[] counts;

  /**
   * Of counts that were kept.
   *
   * @throws IllegalArgumentException if they are not of as many bins
   */
  @JsonCreator
  public ValueHistogram(long[] counts) {
    if (counts.length != 0 && counts.length != BINS) {
      throw new IllegalArgumentException("a histogram of " + counts.length + " bins");
    }
    this.counts = counts.clone();
  }

  /**
   * Of some elements.
   *
   * @param data holds them, little-endian
   * @param offset first byte of the first one
   * @param elements how many
   * @throws IndexOutOfBoundsException if they do not fit in the array
   */
  public static ValueHistogram of(DType type, byte[] data, int offset, int elements) {
    Objects.checkFromIndexSize((long) offset, (long) elements * type.bytes(), data.length);
    if (type.isPacked() || type == DType.C64 || elements == 0) {
      return NONE;
    }
    return Numbers.areFloats(type)
        ? ofFloats(type, data, offset, elements)
        : ofDoubles(type, data, offset, elements);
  }

  /** By the bits of sign and exponent alone: no logarithm is taken. */
  private static ValueHistogram ofFloats(DType type, byte[] data, int offset, int elements) {
    float[] block = new float[Math.min(BLOCK, elements)];
    long[] bySign = new long[2 * EXPONENTS_OF_FLOAT];
    for (int at = 0; at < elements; at += BLOCK) {
      int count = Math.min(BLOCK, elements - at);
      Numbers.readFloats(type, data, offset + at * type.bytes(), block, count);
      for (int i = 0; i < count; i++) {
        int bits = Float.floatToRawIntBits(block[i]);
        // All that is not zero and has no exponent is below the lowest bin.
        bySign[bits >>> 23] += bits << 1 == 0 ? 0 : 1;
      }
    }
    return binned(bySign, EXPONENTS_OF_FLOAT, Float.MAX_EXPONENT);
  }

  private static ValueHistogram ofDoubles(DType type, byte[] data, int offset, int elements) {
    double[] block = new double[Math.min(BLOCK, elements)];
    long[] bySign = new long[2 * EXPONENTS_OF_DOUBLE];
    for (int at = 0; at < elements; at += BLOCK) {
      int count = Math.min(BLOCK, elements - at);
      Numbers.read(type, data, offset + at * type.bytes(), block, count);
      for (int i = 0; i < count; i++) {
        long bits = Double.doubleToRawLongBits(block[i]);
        bySign[(int) (bits >>> 52)] += bits << 1 == 0 ? 0 : 1;
      }
    }
    return binned(bySign, EXPONENTS_OF_DOUBLE, Double.MAX_EXPONENT);
  }

  /** Counts by sign and biased exponent; the last exponent is that of NaNs and infinities. */
  private static ValueHistogram binned(long[] bySign, int exponents, int bias) {
    long[] bins = new long[BINS];
    for (int biased = 0; biased < exponents - 1; biased++) {
      int above = Math.max(LOWEST, Math.min(HIGHEST, biased - bias)) - LOWEST;
      bins[OF_ONE_SIGN + above] += bySign[biased];
      bins[OF_ONE_SIGN - 1 - above] += bySign[exponents + biased];
    }
    return new ValueHistogram(bins);
  }

  /** Of these elements and others. */
  public ValueHistogram plus(ValueHistogram other) {
    if (counts.length == 0 || other.counts.length == 0) {
      return counts.length == 0 ? other : this;
    }
    ValueHistogram sum = new ValueHistogram(counts);
    for (int bin = 0; bin < BINS; bin++) {
      sum.counts[bin] += other.counts[bin];
    }
    return sum;
  }

  /** How many there are in each bin; of no bins where nothing was counted. */
  @JsonValue
  public long[] counts() {
    return counts.clone();
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof ValueHistogram that && Arrays.equals(counts, that.counts);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(counts);
  }

  @Override
  public String toString() {
    return Arrays.toString(counts);
  }
}
