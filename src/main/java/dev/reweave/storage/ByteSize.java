package dev.reweave.storage;

import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Sizes as people write them, in decimal units: 1 KB is 1000 bytes. */
public final class ByteSize {
  private static final Pattern TEXT =
      Pattern.compile(
          "\\s*(\\d+(?:\\.\\d*)?|\\.\\d+)\\s*([kmgt]?b)?\\s*", Pattern.CASE_INSENSITIVE);

  private static final String UNITS = "BKMGT";

  private ByteSize() {}

  /**
   * Bytes of a text such as {@code 5GB}, {@code 1.5 mb}, {@code 100B} or {@code 100}.
   *
   * <p>Fractions are cut off after a multiplication of doubles, as in {@code parse_size_to_int} of
   * huggingface_hub: the same text must give the same shards.
   *
   * @return greater than 0
   * @throws IllegalArgumentException if the text is none, or is less than a byte or too many
   */
  public static long parse(String text) {
    Matcher matcher = TEXT.matcher(text);
    if (!matcher.matches()) {
      throw bad(text);
    }
    String number = matcher.group(1);
    int unit = matcher.group(2) == null ? 0 : UNITS.indexOf(upper(matcher.group(2)).charAt(0));
    long bytes = unit == 0 ? parseWhole(number, text) : parseFraction(number, unit, text);
    if (bytes <= 0) {
      throw bad(text);
    }
    return bytes;
  }

  /** About so many bytes, for people: {@code 1.2 GB}, {@code 980 MB}, {@code 12 B}. */
  public static String format(long bytes) {
    if (bytes < 0) {
      throw new IllegalArgumentException("negative size " + bytes);
    }
    if (bytes < 1000) {
      return bytes + " B";
    }
    double value = bytes;
    int unit = 0;
    // What would be rounded to 1000 belongs to the next unit.
    while (value >= 999.5 && unit < UNITS.length() - 1) {
      value /= 1000;
      unit++;
    }
    String digits = String.format(Locale.ROOT, value < 99.95 ? "%.1f" : "%.0f", value);
    return (digits.endsWith(".0") ? digits.substring(0, digits.length() - 2) : digits)
        + " "
        + UNITS.charAt(unit)
        + "B";
  }

  private static long parseWhole(String number, String text) {
    try {
      return Long.parseLong(number);
    } catch (NumberFormatException e) {
      throw bad(text);
    }
  }

  private static long parseFraction(String number, int unit, String text) {
    double bytes = Double.parseDouble(number) * Math.pow(1000, unit);
    if (bytes >= Long.MAX_VALUE) {
      throw bad(text);
    }
    return (long) bytes;
  }

  private static String upper(String text) {
    return text.toUpperCase(Locale.ROOT);
  }

  private static IllegalArgumentException bad(String text) {
    return new IllegalArgumentException(
        "'"
            + text
            + "' is not a size: give a number above 0 with KB, MB, GB or TB"
            + " (powers of 1000), such as 5GB, or whole bytes, such as 500 or 500B");
  }
}
