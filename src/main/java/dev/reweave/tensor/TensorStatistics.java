package dev.reweave.tensor;

import java.io.Serializable;
import java.util.List;
import java.util.Objects;

/**
 * What the elements of a tensor, or of a part of it, are like. Parts can be put together in any
 * order; the order shows in the last bits of mean and deviation alone.
 *
 * <p>Of a complex number only this is told: whether one of its parts is NaN, otherwise whether one
 * is infinite, otherwise whether both are zero. It is never among the finite ones, which are
 * compared.
 *
 * @param elements number of elements
 * @param nans how many are NaN
 * @param infinities how many are infinite, of both signs
 * @param zeros how many are zero, of both signs; {@code False} too
 * @param finite what all others and the zeros are like
 */
public record TensorStatistics(long elements, long nans, long infinities, long zeros, Finite finite)
    implements Serializable {

  /** Of no elements. */
  public static final TensorStatistics NONE = new TensorStatistics(0, 0, 0, 0, Finite.NONE);

  /** Numbers that are taken at once: they stay in the cache for a second pass. */
  private static final int BLOCK = 2048;

  /**
   * Finite numbers.
   *
   * @param count how many
   * @param min the least; NaN where there are none, as are {@code max} and {@code mean}
   * @param max the greatest
   * @param mean their arithmetic mean
   * @param squares sum of the squares of their distances from the mean
   */
  public record Finite(long count, double min, double max, double mean, double squares)
      implements Serializable {
    static final Finite NONE = new Finite(0, Double.NaN, Double.NaN, Double.NaN, 0);

    /** Standard deviation of the numbers as a whole population; NaN where there are none. */
    public double deviation() {
      return Math.sqrt(squares / count);
    }

    /** Of the first numbers of an array. */
    private static Finite of(double[] values, int count) {
      if (count == 0) {
        return NONE;
      }
      double min = values[0];
      double max = values[0];
      double sum = 0;
      for (int i = 0; i < count; i++) {
        min = Math.min(min, values[i]);
        max = Math.max(max, values[i]);
        sum += values[i];
      }
      double mean = Double.isInfinite(sum) ? meanOfHuge(values, count) : sum / count;
      // The second pass also tells how far rounding has led the mean astray.
      double squares = 0;
      double off = 0;
      for (int i = 0; i < count; i++) {
        double distance = values[i] - mean;
        squares += distance * distance;
        off += distance;
      }
      if (Double.isInfinite(squares)) {
        return new Finite(count, min, max, mean, squares);
      }
      return of(count, min, max, mean, squares, off);
    }

    /**
     * Of sums of distances from what is about the mean, and of their squares, which are finite.
     *
     * @param off sum of the distances: how far rounding has led the mean astray
     */
    static Finite of(long count, double min, double max, double mean, double squares, double off) {
      double rest = Math.max(0, squares - off * off / count);
      return new Finite(count, min, max, mean + off / count, rest);
    }

    private static double meanOfHuge(double[] values, int count) {
      double mean = 0;
      for (int i = 0; i < count; i++) {
        mean += values[i] / count;
      }
      return mean;
    }

    /**
     * Of these numbers and others: Chan, Golub, LeVeque, "Updating formulae and a pairwise
     * algorithm for computing sample variances" (1979).
     */
    private Finite plus(Finite other) {
      if (count == 0 || other.count == 0) {
        return count == 0 ? other : this;
      }
      long all = count + other.count;
      double ours = (double) count / all;
      double theirs = (double) other.count / all;
      double apart = other.mean - mean;
      return new Finite(
          all,
          Math.min(min, other.min),
          Math.max(max, other.max),
          Double.isInfinite(apart) ? mean * ours + other.mean * theirs : mean + apart * theirs,
          squares + other.squares + apart * apart * ours * other.count);
    }
  }

  /**
   * Of some elements.
   *
   * @param data holds them, little-endian
   * @param offset first byte of the first one
   * @param elements how many
   * @throws IndexOutOfBoundsException if they do not fit in the array
   */
  public static TensorStatistics of(DType type, byte[] data, int offset, int elements) {
    Objects.checkFromIndexSize((long) offset, (long) elements * type.bytes(), data.length);
    int abreast = FiniteBlocks.BLOCKS * BLOCK;
    double[] block = new double[(int) Math.min(abreast, 2L * elements)];
    TensorStatistics all = NONE;
    int at = 0;
    boolean finite = type.isCastable();
    while (finite && elements - at >= abreast) {
      int from = offset + at * type.bytes();
      Numbers.read(type, data, from, block, abreast);
      List<Finite> blocks = FiniteBlocks.of(block, BLOCK);
      finite = !blocks.isEmpty();
      if (finite) {
        long zeros = FloatLanes.of(type).zeros(data, from, abreast);
        all = new TensorStatistics(0, 0, 0, zeros, Finite.NONE).plus(all);
        for (Finite one : blocks) {
          all = all.plus(new TensorStatistics(BLOCK, 0, 0, 0, one));
        }
        at += abreast;
      }
    }
    int step = type == DType.C64 ? BLOCK / 2 : BLOCK;
    for (; at < elements; at += step) {
      int count = Math.min(step, elements - at);
      int from = offset + at * type.bytes();
      if (type == DType.C64) {
        Numbers.read(DType.F32, data, from, block, 2 * count);
        all = all.plus(ofPairs(block, count));
      } else {
        Numbers.read(type, data, from, block, count);
        all = all.plus(of(block, count));
      }
    }
    return all;
  }

  /** Of the first numbers of an array, whose order is lost. */
  private static TensorStatistics of(double[] values, int count) {
    long nans = 0;
    long zeros = 0;
    int finite = 0;
    for (int i = 0; i < count; i++) {
      double value = values[i];
      if (Math.abs(value) <= Double.MAX_VALUE) {
        values[finite++] = value;
        zeros += value == 0 ? 1 : 0;
      } else {
        nans += Double.isNaN(value) ? 1 : 0;
      }
    }
    return new TensorStatistics(
        count, nans, count - finite - nans, zeros, Finite.of(values, finite));
  }

  private static TensorStatistics ofPairs(double[] values, int count) {
    long nans = 0;
    long infinities = 0;
    long zeros = 0;
    for (int i = 0; i < 2 * count; i += 2) {
      // Never negative, so that a sum tells of both: infinities do not cancel out.
      double sum = Math.abs(values[i]) + Math.abs(values[i + 1]);
      nans += Double.isNaN(sum) ? 1 : 0;
      infinities += Double.isInfinite(sum) ? 1 : 0;
      zeros += sum == 0 ? 1 : 0;
    }
    return new TensorStatistics(count, nans, infinities, zeros, Finite.NONE);
  }

  /** Of these elements and others. */
  public TensorStatistics plus(TensorStatistics other) {
    return new TensorStatistics(
        elements + other.elements,
        nans + other.nans,
        infinities + other.infinities,
        zeros + other.zeros,
        finite.plus(other.finite));
  }

  /** Which part of the elements is zero, from 0 to 1; NaN where there are none. */
  public double zeroShare() {
    return (double) zeros / elements;
  }
}
