package dev.reweave.common;

import java.util.List;
import java.util.stream.Collectors;

/** Names of tensors for one line of text, as a terminal may show them. */
public final class FirstNames {
  private static final int MOST = 10;

  /** Few names of tensors are as long: what is longer was made to be. */
  private static final int MOST_CHARS = 500;

  private FirstNames() {}

  /** At most ten, none of them longer than a line, and a sign that there are more. */
  public static String of(List<String> names) {
    return names.stream().limit(MOST).map(FirstNames::shown).collect(Collectors.joining(", "))
        + (names.size() > MOST ? ", …" : "");
  }

  private static String shown(String name) {
    String text = Printable.text(name);
    return text.length() <= MOST_CHARS ? text : text.substring(0, MOST_CHARS) + "…";
  }
}
