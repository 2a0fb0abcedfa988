package dev.reweave.tensor;

import java.io.Serializable;

/**
 * How far two tensors, or the same parts of them, are apart. Numbers are compared as doubles; the
 * two halves of a complex number are numbers of their own. Sums are exact, so that the whole does
 * not depend on the parts in which it was compared.
 *
 * <p>Two NaNs are the same value, and so are the two zeros. What is not finite on both sides takes
 * no part in the sums.
 *
 * @param numbers how many were compared
 * @param unequal those whose bits differ; where the types differ, those whose values differ after
 *     the wider type was cast to the narrower, or one of 16 bits to the second's
 * @param differing those whose values differ
 * @param broken those of them that are NaN, or infinite, on one side alone
 * @param absolute largest difference of two numbers; infinite if one of them is
 * @param at index of the first element that is that far apart; -1 if none is
 * @param relative largest difference of two numbers as a part of the greater magnitude of both: 0
 *     to 2; infinite if one of them is
 */
public record Deviation(
    long numbers,
    long unequal,
    long differing,
    Broken broken,
    double absolute,
    long at,
    double relative,
    Sums sums)
    implements Serializable {

  /** Of nothing. */
  public static final Deviation NONE =
      new Deviation(0, 0, 0, new Broken(0, 0, 0), 0, -1, 0, Sums.NONE);

  /**
   * How many numbers differ, and not by a number.
   *
   * @param nanInFirst those that are NaN in the first alone
   * @param nanInSecond those that are NaN in the second alone
   * @param infinite those that are infinite in one, and another number in the other
   */
  public record Broken(long nanInFirst, long nanInSecond, long infinite) implements Serializable {
    /** All of them. */
    public long all() {
      return nanInFirst + nanInSecond + infinite;
    }

    private Broken plus(Broken other) {
      return new Broken(
          nanInFirst + other.nanInFirst,
          nanInSecond + other.nanInSecond,
          infinite + other.infinite);
    }
  }

  /**
   * What cosine and distance are made of.
   *
   * @param first sum of the first's squares
   * @param second sum of the second's squares
   * @param product sum of both's products
   * @param difference sum of the squares of their differences
   * @param lacking how many numbers, which are the same in both, are not in the sums
   */
  record Sums(ExactSum first, ExactSum second, ExactSum product, ExactSum difference, long lacking)
      implements Serializable {
    static final Sums NONE = without(0);

    private static Sums without(long numbers) {
      return new Sums(ExactSum.ZERO, ExactSum.ZERO, ExactSum.ZERO, ExactSum.ZERO, numbers);
    }

    Sums plus(Sums other) {
      return new Sums(
          first.plus(other.first),
          second.plus(other.second),
          product.plus(other.product),
          difference.plus(other.difference),
          lacking + other.lacking);
    }
  }

  /** Of numbers that are the same, bit for bit. */
  static Deviation same(long numbers) {
    return new Deviation(numbers, 0, 0, new Broken(0, 0, 0), 0, -1, 0, Sums.NONE);
  }

  /** The same of numbers that are not added up. */
  static Deviation unsummed(long numbers) {
    return same(numbers).with(Sums.without(numbers));
  }

  /** Whether numbers are to be added up for the distance that were not. */
  public boolean lacksSums() {
    return differing > 0 && sums.lacking > 0;
  }

  Deviation with(Sums others) {
    return new Deviation(
        numbers, unequal, differing, broken, absolute, at, relative, sums.plus(others));
  }

  Deviation withUnequal(long number) {
    return new Deviation(numbers, number, differing, broken, absolute, at, relative, sums);
  }

  /** That of two parts. */
  public Deviation plus(Deviation other) {
    return new Deviation(
        numbers + other.numbers,
        unequal + other.unequal,
        differing + other.differing,
        broken.plus(other.broken),
        Math.max(absolute, other.absolute),
        farthest(other),
        Math.max(relative, other.relative),
        sums.plus(other.sums));
  }

  private long farthest(Deviation other) {
    if (at < 0 || other.at < 0) {
      return Math.max(at, other.at);
    }
    int order = Double.compare(absolute, other.absolute);
    return order == 0 ? Math.min(at, other.at) : order > 0 ? at : other.at;
  }

  /**
   * Cosine of the angle between the two as vectors; 0 if one alone has no length, NaN if the
   * squares are too large to be added up.
   */
  public double cosine() {
    if (differing == 0) {
      return 1;
    }
    double product = sums.first.value() * sums.second.value();
    boolean inRange = product >= Double.MIN_NORMAL && product <= Double.MAX_VALUE;
    double lengths =
        inRange
            ? Math.sqrt(product)
            : Math.sqrt(sums.first.value()) * Math.sqrt(sums.second.value());
    if (lengths == 0) {
      return sums.difference.value() == 0 ? 1 : 0;
    }
    if (Double.isInfinite(lengths)) {
      return Double.NaN;
    }
    double cosine = sums.product.value() / lengths;
    return Math.max(-1, Math.min(1, cosine));
  }

  /**
   * Length of the difference of the two as vectors, as a part of the second's; 1 if that has none
   * and they differ, NaN if the squares are too large to be added up.
   */
  public double change() {
    if (differing == 0) {
      return 0;
    }
    double second = sums.second.value();
    double difference = sums.difference.value();
    if (Double.isInfinite(second) || Double.isInfinite(difference)) {
      return Double.NaN;
    }
    return second == 0 ? 1 : Math.sqrt(difference) / Math.sqrt(second);
  }

  /**
   * Length of the difference of the two as vectors, as a part of the longer one's: 0 to 2; NaN if
   * the squares are too large to be added up.
   */
  public double distance() {
    if (differing == 0) {
      return 0;
    }
    double longer = Math.max(sums.first.value(), sums.second.value());
    double difference = sums.difference.value();
    if (Double.isInfinite(longer)) {
      return Double.NaN;
    }
    return difference == 0 ? 0 : Math.sqrt(difference) / Math.sqrt(longer);
  }
}
