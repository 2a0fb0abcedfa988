package dev.reweave.common;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Matches names with expressions that somebody wrote into a file. A few characters such as {@code
 * (.*)(.*)(.*)x} can keep a matcher busy for ages, or fill the stack; here it is stopped.
 */
public final class BoundedMatch {
  /** Some tenths of a second; the names of a model take some thousands each. */
  private static final int MOST_LOOKS = 20_000_000;

  private BoundedMatch() {}

  /**
   * Whether an expression matches a part of a name.
   *
   * @param place where the expression stands, for messages
   * @throws ReweaveException if to match takes too much time or memory
   */
  public static boolean within(Pattern pattern, String name, String place) {
    Matcher matcher = pattern.matcher(new Text(name));
    try {
      return matcher.find();
    } catch (TooLong | StackOverflowError e) {
      throw refused(pattern, name, place);
    }
  }

  /**
   * The match of a whole name; empty if there is none.
   *
   * @param place where the expression stands, for messages
   * @throws ReweaveException if to match takes too much time or memory
   */
  public static Optional<Matcher> ofWhole(Pattern pattern, String name, String place) {
    Matcher matcher = pattern.matcher(new Text(name));
    try {
      return matcher.matches() ? Optional.of(matcher) : Optional.empty();
    } catch (TooLong | StackOverflowError e) {
      throw refused(pattern, name, place);
    }
  }

  /** The same of the start of a name. */
  public static Optional<Matcher> ofStart(Pattern pattern, String name, String place) {
    Matcher matcher = pattern.matcher(new Text(name));
    try {
      return matcher.lookingAt() ? Optional.of(matcher) : Optional.empty();
    } catch (TooLong | StackOverflowError e) {
      throw refused(pattern, name, place);
    }
  }

  private static ReweaveException refused(Pattern pattern, String name, String place) {
    return CommonFailures.matchTooLong(pattern, name, place);
  }

  /** An expression or a name for a message, as both can be of any length. */
  public static String shown(String text) {
    return text.length() <= 200 ? text : text.substring(0, 200) + "…";
  }

  private static final class TooLong extends RuntimeException {
    private static final long serialVersionUID = 1L;

    TooLong() {
      super("looked at too many characters", null, false, false);
    }
  }

  /** A text of which so many characters can be looked at and no more. */
  private static final class Text implements CharSequence {
    private final String text;
    private int looks;

    Text(String text) {
      this.text = text;
    }

    @Override
    public char charAt(int index) {
      if (++looks > MOST_LOOKS) {
        throw new TooLong();
      }
      return text.charAt(index);
    }

    @Override
    public int length() {
      return text.length();
    }

    @Override
    public CharSequence subSequence(int start, int end) {
      return text.substring(start, end);
    }

    @Override
    public String toString() {
      return text;
    }
  }
}
