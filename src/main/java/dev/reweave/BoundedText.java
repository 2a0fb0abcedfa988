package dev.reweave;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A name to be matched with an expression that somebody wrote into a file. A few characters such as
 * {@code (.*)(.*)(.*)x} can keep a matcher busy for ages; of this text it may look at so many
 * characters and no more.
 */
public final class BoundedText implements CharSequence {
  /** Some tenths of a second; the names of a model take some thousands each. */
  private static final int MOST_LOOKS = 20_000_000;

  private final String text;
  private final Pattern pattern;
  private final String place;
  private int looks;

  private BoundedText(String text, Pattern pattern, String place) {
    this.text = text;
    this.pattern = pattern;
    this.place = place;
  }

  /**
   * The matcher of a name. Matching throws a {@link ReweaveException} if it takes too long.
   *
   * @param place where the expression stands, for messages
   */
  public static Matcher matcher(Pattern pattern, String name, String place) {
    return pattern.matcher(new BoundedText(name, pattern, place));
  }

  @Override
  public char charAt(int index) {
    if (++looks > MOST_LOOKS) {
      throw new ReweaveException(
          "to match '" + pattern + "' with " + text + " takes too long",
          place,
          "write the expression with fewer parts that match the same characters");
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
