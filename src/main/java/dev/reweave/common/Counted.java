package dev.reweave.common;

import java.util.Locale;

/** A number with what it counts, as a sentence needs it. */
public final class Counted {
  private Counted() {}

  /** Such as {@code 1 tensor} and {@code 12000 tensors}. */
  public static String of(long count, String what) {
    return count + plural(count, what);
  }

  /** Of what may be many: {@code 12,000 parameters}. */
  public static String grouped(long count, String what) {
    return String.format(Locale.ROOT, "%,d", count) + plural(count, what);
  }

  private static String plural(long count, String what) {
    return " " + what + (count == 1 ? "" : "s");
  }
}
