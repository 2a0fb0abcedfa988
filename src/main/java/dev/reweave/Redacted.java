package dev.reweave;

import java.util.regex.Pattern;

/**
 * Text without the parts of addresses that can hold credentials: user information with a password,
 * and queries, where signed addresses carry their signature.
 */
public final class Redacted {
  private static final Pattern PASSWORD = Pattern.compile("(?<=://)[^/@\\s]*:[^/@\\s]*@");
  private static final Pattern QUERY =
      Pattern.compile("(\\b[a-zA-Z][a-zA-Z0-9+.-]*://[^\\s?]*)\\?[^\\s,;)']*");

  private Redacted() {}

  /** The same text with {@code ***} in place of passwords and queries. */
  public static String text(String text) {
    String noPassword = PASSWORD.matcher(text).replaceAll("***@");
    return QUERY.matcher(noPassword).replaceAll("$1?***");
  }
}
