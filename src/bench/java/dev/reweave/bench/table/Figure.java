package dev.reweave.bench.table;

import java.util.List;

/**
 * One number that was measured several times.
 *
 * @param name what it is
 * @param unit such as {@code s} or {@code MB}; empty for a ratio
 * @param values one of each run, in their order
 */
record Figure(String name, String unit, List<Double> values) {
  Figure {
    values = List.copyOf(values);
  }

  /** The middle one, or the mean of the two in the middle; NaN of none. */
  double median() {
    double[] sorted = values.stream().mapToDouble(Double::doubleValue).sorted().toArray();
    int middle = sorted.length / 2;
    if (sorted.length == 0) {
      return Double.NaN;
    }
    return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
  }
}
