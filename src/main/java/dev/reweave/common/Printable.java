package dev.reweave.common;

import java.util.stream.Collectors;

/**
 * Text from files as a terminal may show it. Names of tensors hold any character, and some of these
 * move the cursor, clear the screen or turn the direction of the text: they are shown as escapes,
 * such as {@code \u001b}.
 */
public final class Printable {
  private Printable() {}

  /** The same text with every character escaped that is no visible part of one line. */
  public static String text(String text) {
    for (int i = 0; i < text.length(); i++) {
      if (isHidden(text, i)) {
        return escaped(text);
      }
    }
    return text;
  }

  /** The same of several lines, such as a stack trace; the tabs that indent them stay. */
  public static String lines(String text) {
    return text.lines().map(Printable::indented).collect(Collectors.joining("\n"));
  }

  private static String indented(String line) {
    int start = 0;
    while (start < line.length() && line.charAt(start) == '\t') {
      start++;
    }
    return line.substring(0, start) + text(line.substring(start));
  }

  private static String escaped(String text) {
    StringBuilder shown = new StringBuilder(text.length() + 16);
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (!isHidden(text, i)) {
        shown.append(c);
      } else if (c == '\n') {
        shown.append("\\n");
      } else {
        shown.append("\\u").append(String.format("%04x", (int) c));
      }
    }
    return shown.toString();
  }

  private static boolean isHidden(String text, int i) {
    char c = text.charAt(i);
    if (Character.isSurrogate(c)) {
      boolean paired =
          Character.isHighSurrogate(c)
              ? i + 1 < text.length() && Character.isLowSurrogate(text.charAt(i + 1))
              : i > 0 && Character.isHighSurrogate(text.charAt(i - 1));
      return !paired;
    }
    return switch (Character.getType(c)) {
      case Character.CONTROL,
          Character.FORMAT,
          Character.LINE_SEPARATOR,
          Character.PARAGRAPH_SEPARATOR ->
          true;
      default -> false;
    };
  }
}
