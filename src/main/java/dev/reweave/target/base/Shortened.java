package dev.reweave.target.base;

import java.util.Collection;
import java.util.stream.Collectors;

/** Lists of names for messages: at most ten, none of them long. */
final class Shortened {
  private static final int SHOWN = 10;
  private static final int CHARS = 120;

  private Shortened() {}

  static String list(Collection<String> names) {
    String shown =
        names.stream().limit(SHOWN).map(Shortened::name).collect(Collectors.joining(", "));
    int more = names.size() - SHOWN;
    return more > 0 ? shown + " and " + more + " more" : shown;
  }

  static String name(String name) {
    return name.length() <= CHARS ? name : name.substring(0, CHARS) + "…";
  }
}
