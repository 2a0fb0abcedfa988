package dev.reweave.bench.table;

import java.util.Locale;

/**
 * What a row has to reach.
 *
 * @param kind on which side of the limit it has to be
 * @param unit of the limit; empty for a ratio
 */
record Target(Kind kind, double limit, String unit) {
  /** Which side of the limit is the good one. */
  enum Kind {
    AT_LEAST,
    AT_MOST
  }

  static Target atLeast(double ratio) {
    return new Target(Kind.AT_LEAST, ratio, "");
  }

  static Target atMost(double ratio) {
    return new Target(Kind.AT_MOST, ratio, "");
  }

  Target in(String other) {
    return new Target(kind, limit, other);
  }

  boolean isMetBy(double reached) {
    return kind == Kind.AT_LEAST ? reached >= limit : reached <= limit;
  }

  String words() {
    return (kind == Kind.AT_LEAST ? "at least " : "at most ") + text(limit);
  }

  /** A number in this unit. */
  String text(double number) {
    return String.format(Locale.ROOT, "%.2f", number) + (unit.isEmpty() ? "" : " " + unit);
  }
}
