package dev.reweave.common;

import java.util.regex.Pattern;

/**
 * What of a text is shown in a message: all of it, unless a file has brought megabytes into it;
 * then its start and end. Nowhere a secret, a part of one, or what drives a terminal.
 */
final class Excerpt {
  /** Three texts of this length make a message of less than 8 KB. */
  private static final int MOST_CHARS = 2500;

  private static final int HEAD_CHARS = 1600;
  private static final int TAIL_CHARS = 800;

  /** An address that is cut within the part that can hold a password. */
  private static final Pattern CUT_AUTHORITY = Pattern.compile("://[^/@\\s]*+$");

  private static final String ENDS_OF_ADDRESSES = " \t\n\r,;)'";

  private Excerpt() {}

  static String of(String text) {
    // To look for secrets in all of a long text could take ages, and not to look would show them.
    if (text.length() <= MOST_CHARS) {
      String shown = shown(text);
      return shown.length() <= MOST_CHARS ? shown : head(shown) + leftOut(shown) + tail(shown);
    }
    String head = CUT_AUTHORITY.matcher(head(text)).replaceFirst("://");
    return head(shown(head)) + leftOut(text) + tail(shown(behindAddress(tail(text))));
  }

  private static String shown(String text) {
    return Printable.text(Redacted.text(text));
  }

  private static String head(String text) {
    return text.substring(0, Math.min(HEAD_CHARS, text.length()));
  }

  private static String tail(String text) {
    return text.substring(Math.max(0, text.length() - TAIL_CHARS));
  }

  private static String leftOut(String text) {
    return " … (" + text.length() + " characters) … ";
  }

  /** What starts in the middle may start in the middle of an address. */
  private static String behindAddress(String text) {
    int at = 0;
    while (at < text.length() && ENDS_OF_ADDRESSES.indexOf(text.charAt(at)) < 0) {
      at++;
    }
    return text.substring(at);
  }
}
