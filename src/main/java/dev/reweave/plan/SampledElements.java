package dev.reweave.plan;

import dev.reweave.tensor.Layout;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;

/**
 * Which elements of a tensor are compared where not all are: those at its ends, where a shifted
 * start shows; those on both sides of where its layout goes from one rank's piece to the next; and
 * some in between, evenly spread. Few enough to cost next to nothing, and the same whoever asks.
 */
public final class SampledElements {
  /** Elements at each end of a tensor, and on each side of where a piece begins. */
  static final int AT_ENDS = 8;

  /** Elements of each place in between. */
  static final int BETWEEN = 64;

  /** Elements from one place in between to the next: a prime, and so never a number of rows. */
  static final long STEP = 4_000_037;

  /** Where further places are, as parts of the tensor: nowhere that anything would begin. */
  private static final List<Double> WITHIN = List.of(0.381966, 0.618034);

  /** Most places where pieces begin; of more, evenly spread ones are taken. */
  static final int MOST_PIECES = 64;

  /** Elements {@code [from, to)}. */
  public record Range(long from, long to) {}

  private SampledElements() {}

  /** The ranges of a tensor with this layout, ascending and apart. */
  public static List<Range> of(Layout layout) {
    long elements = layout.elements();
    List<Range> ranges = new ArrayList<>();
    around(ranges, 0, elements);
    around(ranges, elements, elements);
    for (double part : WITHIN) {
      long place = (long) (part * elements);
      add(ranges, place, place + BETWEEN, elements);
    }
    for (long middle = STEP / 2; middle < elements; middle += STEP) {
      add(ranges, middle, middle + BETWEEN, elements);
    }
    starts(layout).forEach(start -> around(ranges, start, elements));
    return joined(ranges);
  }

  /** Number of elements of all ranges. */
  public static long count(Layout layout) {
    return of(layout).stream().mapToLong(r -> r.to() - r.from()).sum();
  }

  private static void around(List<Range> ranges, long element, long elements) {
    add(ranges, element - AT_ENDS, element + AT_ENDS, elements);
  }

  private static void add(List<Range> ranges, long from, long to, long elements) {
    long first = Math.max(0, from);
    long last = Math.min(elements, to);
    if (first < last) {
      ranges.add(new Range(first, last));
    }
  }

  /** Where runs begin, if there are few: rows that are stored apart are no pieces of ranks. */
  private static List<Long> starts(Layout layout) {
    if (layout.width() > 1 || layout.elements() / layout.granularity() > MOST_PIECES) {
      return List.of();
    }
    TreeSet<Long> starts = new TreeSet<>();
    long[] at = {0};
    layout.runs(
        0,
        layout.elements(),
        (storage, offset, elements) -> {
          starts.add(at[0]);
          at[0] += elements;
        });
    List<Long> all = List.copyOf(starts);
    List<Long> some = new ArrayList<>();
    int step = Math.max(1, all.size() / MOST_PIECES);
    for (int i = 0; i < all.size(); i += step) {
      some.add(all.get(i));
    }
    return some;
  }

  private static List<Range> joined(List<Range> ranges) {
    ranges.sort((a, b) -> Long.compare(a.from(), b.from()));
    List<Range> joined = new ArrayList<>();
    for (Range range : ranges) {
      int last = joined.size() - 1;
      if (last >= 0 && range.from() <= joined.get(last).to()) {
        Range before = joined.remove(last);
        joined.add(new Range(before.from(), Math.max(before.to(), range.to())));
      } else {
        joined.add(range);
      }
    }
    return joined;
  }
}
