package dev.reweave.soak;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;

/**
 * When conversions are killed: within what the last ones took that nobody disturbed, and so that
 * few are killed before they have written anything.
 */
final class Lengths {
  private static final int COUNTED = 15;

  /** Somewhat more than they take, so that some come to their end. */
  private static final double LATEST = 1.1;

  private static final double FIRST_EARLIEST = 0.5;
  private static final double LAST_EARLIEST = 0.9;

  /** In balance where one kill of four comes before anything is written. */
  private static final double LATER = 0.03;

  private static final double EARLIER = LATER / 3;

  private final Map<String, Deque<Double>> lengths = new HashMap<>();
  private final Map<String, Double> earliest = new HashMap<>();

  /** Notes what an undisturbed one took. */
  synchronized void add(String kind, double seconds) {
    Deque<Double> last = lengths.computeIfAbsent(kind, k -> new ArrayDeque<>());
    last.addLast(seconds);
    if (last.size() > COUNTED) {
      last.removeFirst();
    }
  }

  /** Notes how far one had come that was killed. */
  synchronized void killed(String kind, Outcome.Reached reached) {
    double step = reached == Outcome.Reached.NOTHING_WRITTEN ? LATER : -EARLIER;
    double moved = earliest.getOrDefault(kind, FIRST_EARLIEST) + step;
    earliest.put(kind, Math.max(FIRST_EARLIEST, Math.min(LAST_EARLIEST, moved)));
  }

  /** The median of the last ones, in seconds. */
  synchronized double typical(String kind) {
    double[] sorted =
        lengths.getOrDefault(kind, new ArrayDeque<>()).stream()
            .mapToDouble(Double::doubleValue)
            .sorted()
            .toArray();
    if (sorted.length == 0) {
      throw new IllegalStateException("nothing was converted in " + kind + " yet");
    }
    return sorted[sorted.length / 2];
  }

  /**
   * When one is killed.
   *
   * @param chance from 0 to 1: the earliest and the latest moment
   */
  synchronized Duration moment(String kind, double chance) {
    double from = earliest.getOrDefault(kind, FIRST_EARLIEST);
    double share = from + (LATEST - from) * chance;
    return Duration.ofMillis(Math.round(1000 * typical(kind) * share));
  }
}
