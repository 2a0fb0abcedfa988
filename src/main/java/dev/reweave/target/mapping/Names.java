package dev.reweave.target.mapping;

import java.util.Collection;
import java.util.stream.Collectors;

/** Names in a message: a few of them, however many there are. */
final class Names {
  private static final int SHOWN = 10;

  private Names() {}

  /** Such as {@code a, b, and 7 more}. */
  static String shown(Collection<String> names) {
    String some = names.stream().limit(SHOWN).collect(Collectors.joining(", "));
    return names.size() <= SHOWN ? some : some + ", and " + (names.size() - SHOWN) + " more";
  }

  /** Such as {@code 1 tensor} or {@code 2 tensors}. */
  static String count(int count, String what) {
    return count + " " + what + (count == 1 ? "" : "s");
  }
}
