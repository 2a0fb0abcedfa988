package dev.reweave.tensor;

import dev.reweave.tensor.TensorStatistics.Finite;
import java.util.List;

/**
 * Statistics of four blocks of finite numbers at the same time: the sums of one alone would wait
 * for each addition. Each comes to what it comes to alone, bit for bit.
 */
final class FiniteBlocks {
  /** How many. */
  static final int BLOCKS = 4;

  private FiniteBlocks() {}

  /**
   * Of four blocks, one after another in an array.
   *
   * @param length of each
   * @return one of each block, with the least and the greatest number of all of them; none if a
   *     number is not finite, if sums are too large, or if zero is the least or the greatest
   *     number, whose sign then counts
   */
  static List<Finite> of(double[] values, int length) {
    double sum0 = 0;
    double sum1 = 0;
    double sum2 = 0;
    double sum3 = 0;
    double min = values[0];
    double max = values[0];
    for (int i = 0; i < length; i++) {
      double x0 = values[i];
      double x1 = values[i + length];
      double x2 = values[i + 2 * length];
      double x3 = values[i + 3 * length];
      sum0 += x0;
      sum1 += x1;
      sum2 += x2;
      sum3 += x3;
      if (x0 < min || x1 < min || x2 < min || x3 < min) {
        min = Math.min(min, Math.min(Math.min(x0, x1), Math.min(x2, x3)));
      }
      if (x0 > max || x1 > max || x2 > max || x3 > max) {
        max = Math.max(max, Math.max(Math.max(x0, x1), Math.max(x2, x3)));
      }
    }
    double mean0 = sum0 / length;
    double mean1 = sum1 / length;
    double mean2 = sum2 / length;
    double mean3 = sum3 / length;
    double squares0 = 0;
    double squares1 = 0;
    double squares2 = 0;
    double squares3 = 0;
    double off0 = 0;
    double off1 = 0;
    double off2 = 0;
    double off3 = 0;
    for (int i = 0; i < length; i++) {
      double x0 = values[i] - mean0;
      double x1 = values[i + length] - mean1;
      double x2 = values[i + 2 * length] - mean2;
      double x3 = values[i + 3 * length] - mean3;
      squares0 += x0 * x0;
      squares1 += x1 * x1;
      squares2 += x2 * x2;
      squares3 += x3 * x3;
      off0 += x0;
      off1 += x1;
      off2 += x2;
      off3 += x3;
    }
    // One that is not finite makes its block's squares infinite or NaN.
    boolean plain = Double.isFinite(squares0 + squares1 + squares2 + squares3);
    return !plain || min == 0 || max == 0
        ? List.of()
        : List.of(
            Finite.of(length, min, max, mean0, squares0, off0),
            Finite.of(length, min, max, mean1, squares1, off1),
            Finite.of(length, min, max, mean2, squares2, off2),
            Finite.of(length, min, max, mean3, squares3, off3));
  }
}
