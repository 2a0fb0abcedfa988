package dev.reweave.target.mapping;

import java.util.List;
import java.util.OptionalLong;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A number of a rule: written there, or one that stands under a name, or the quotient of two.
 *
 * @param parts a number or a name, and what it is divided by, if it is
 */
record Amount(List<String> parts) {
  private static final String PART = "\\s*([A-Za-z_][A-Za-z0-9_]*|[0-9]{1,18})\\s*";
  private static final Pattern TEXT = Pattern.compile(PART + "(?:/" + PART + ")?");

  Amount {
    parts = List.copyOf(parts);
  }

  static Amount of(long number) {
    return new Amount(List.of(Long.toString(number)));
  }

  /**
   * Reads {@code heads}, {@code heads/groups} or {@code headSize/2}.
   *
   * @throws dev.reweave.common.ReweaveException if it is something else
   */
  static Amount parse(String text, JsonObject rule) {
    Matcher matcher = TEXT.matcher(text);
    if (!matcher.matches()) {
      throw MappingFileFailures.noAmount(text, rule.place());
    }
    return new Amount(
        matcher.group(2) == null
            ? List.of(matcher.group(1))
            : List.of(matcher.group(1), matcher.group(2)));
  }

  /** The names in it. */
  List<String> names() {
    return parts.stream().filter(part -> !isNumber(part)).toList();
  }

  private static boolean isNumber(String part) {
    return Character.isDigit(part.charAt(0));
  }

  /**
   * Its value; nothing if that of a name is not known, or the quotient is not whole.
   *
   * @param named what stands under a name
   */
  OptionalLong value(Function<String, OptionalLong> named) {
    OptionalLong first = value(parts.get(0), named);
    if (parts.size() == 1 || first.isEmpty()) {
      return first;
    }
    OptionalLong second = value(parts.get(1), named);
    return second.isEmpty()
            || second.getAsLong() <= 0
            || first.getAsLong() % second.getAsLong() != 0
        ? OptionalLong.empty()
        : OptionalLong.of(first.getAsLong() / second.getAsLong());
  }

  private static OptionalLong value(String part, Function<String, OptionalLong> named) {
    return isNumber(part) ? OptionalLong.of(Long.parseLong(part)) : named.apply(part);
  }

  /** As it is written. */
  @Override
  public String toString() {
    return String.join("/", parts);
  }
}
