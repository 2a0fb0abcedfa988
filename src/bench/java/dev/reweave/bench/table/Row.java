package dev.reweave.bench.table;

import java.util.ArrayList;
import java.util.List;

/**
 * One row of the table.
 *
 * @param family which part of the benchmark gave it
 * @param what was measured, and against what
 * @param reached what is held to the target: the medians of it; none if one side was not there
 * @param figures what it was made of
 */
record Row(String family, String what, Target target, Figure reached, List<Figure> figures) {
  Row {
    figures = List.copyOf(figures);
  }

  /** The same with more of what it was made of. */
  Row with(Figure... more) {
    List<Figure> all = new ArrayList<>(figures);
    all.addAll(List.of(more));
    return new Row(family, what, target, reached, all);
  }

  boolean isMeasured() {
    return !reached.values().isEmpty();
  }

  boolean isMet() {
    return target.isMetBy(reached.median());
  }
}
