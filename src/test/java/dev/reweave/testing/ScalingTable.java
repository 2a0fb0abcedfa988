package dev.reweave.testing;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.SortedMap;
import java.util.TreeMap;

/** What the same job took with more and more executors; all runs move the same bytes. */
final class ScalingTable {
  private static final String HEAD =
      """
      | executors | runs | seconds of work | of them tasks | MB/s | speed-up | of linear |
      |---|---|---|---|---|---|---|
      """;

  private record Run(double seconds, double taskSeconds) {}

  private final long bytes;
  private final SortedMap<Integer, List<Run>> runs = new TreeMap<>();

  /** A table of a job that reads and writes so many bytes in all. */
  ScalingTable(long bytes) {
    this.bytes = bytes;
  }

  /**
   * Adds a run.
   *
   * @param seconds of the work
   * @param taskSeconds of them until the last task had ended
   */
  void add(int executors, double seconds, double taskSeconds) {
    runs.computeIfAbsent(executors, e -> new ArrayList<>()).add(new Run(seconds, taskSeconds));
  }

  /** Times as fast as with the fewest executors, by the medians. */
  double speedUp(int executors) {
    return seconds(runs.firstKey()) / seconds(executors);
  }

  /** The speed-up as a part of that which as many times the executors would give at best. */
  double partOfLinear(int executors) {
    return speedUp(executors) * runs.firstKey() / executors;
  }

  private double seconds(int executors) {
    return median(runs.get(executors).stream().map(Run::seconds).toList());
  }

  /** In Markdown, a line for each number of executors. */
  String text() {
    StringBuilder text = new StringBuilder(HEAD);
    runs.forEach(
        (executors, all) ->
            text.append(
                String.format(
                    Locale.ROOT,
                    "| %d | %d | %.1f | %.1f | %.1f | %.2f | %.1f %% |%n",
                    executors,
                    all.size(),
                    seconds(executors),
                    median(all.stream().map(Run::taskSeconds).toList()),
                    bytes / seconds(executors) / 1e6,
                    speedUp(executors),
                    100 * partOfLinear(executors))));
    return text.toString();
  }

  private static double median(List<Double> values) {
    List<Double> sorted = values.stream().sorted().toList();
    int half = sorted.size() / 2;
    return sorted.size() % 2 == 1
        ? sorted.get(half)
        : (sorted.get(half - 1) + sorted.get(half)) / 2;
  }
}
