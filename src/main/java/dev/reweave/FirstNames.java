package dev.reweave;

import java.util.List;
import java.util.stream.Collectors;

/** Names of tensors for one line of text, as a terminal may show them. */
public final class FirstNames {
  private static final int MOST = 10;

  private FirstNames() {}

  /** At most ten, and a sign that there are more. */
  public static String of(List<String> names) {
    return names.stream().limit(MOST).map(Printable::text).collect(Collectors.joining(", "))
        + (names.size() > MOST ? ", …" : "");
  }
}
