package dev.reweave.common;

import java.util.regex.Pattern;

/**
 * Text without the parts of addresses that can hold credentials: user information with a password,
 * queries of web addresses, and those that hold a signature.
 */
public final class Redacted {
  /** Where a bucket stands alone, what is before an at sign is a key. */
  private static final String OF_BUCKETS = "(?i:\\b(?:s3[an]?|gs|oss|cosn|obs):)";

  // Secrets of S3 have slashes in them, which end what a URI takes for its authority.
  private static final String KEY = "(?:[^/@\\s:]*:\\S*|[^/@\\s]*)@";

  /** A password may have slashes, a port may not have letters. */
  private static final String PASSWORD =
      "(?:[^/@\\s]*:[^/\\s]*|[^/@\\s:\\[\\]]*:(?!\\d{0,5}/)\\S*)@";

  private static final Pattern LOGIN =
      Pattern.compile("(" + OF_BUCKETS + "/{0,3})" + KEY + "|(?<=://)" + PASSWORD);

  private static final String IN_QUERY = "[^\\s,;)']";

  /** What the parameters of signed addresses are called: {@code X-Amz-Signature}, {@code sig}. */
  private static final String SECRET =
      "(?i:[?&][\\w-]*(?:sig|signature|token|key|secret|password|credential)[\\w-]*=)";

  /** In a key of a store and in the name of a file a question mark is one like any other. */
  private static final Pattern QUERY =
      Pattern.compile(
          "(\\b(?i:https?)://[^\\s?]*|\\b[a-zA-Z][a-zA-Z0-9+.-]*://[^\\s?]*(?="
              + IN_QUERY
              + "*"
              + SECRET
              + "))\\?"
              + IN_QUERY
              + "*");

  /** Of an address alone, a name without a password is one, unless it is that of a container. */
  private static final Pattern ADDRESS_WITH_LOGIN =
      Pattern.compile(
          "(?s)\\s*(?:"
              + OF_BUCKETS
              + "/{0,3}"
              + KEY
              + "|[a-zA-Z][a-zA-Z0-9+.-]*://"
              + PASSWORD
              + "|(?!(?i:abfss?|wasbs?):)[a-zA-Z][a-zA-Z0-9+.-]*://[^/@\\s]*@).*");

  private Redacted() {}

  /** The same text with {@code ***} in place of passwords and queries. */
  public static String text(String text) {
    String noLogin =
        LOGIN.matcher(text).replaceAll(m -> (m.group(1) == null ? "" : m.group(1)) + "***@");
    return QUERY.matcher(noLogin).replaceAll("$1?***");
  }

  /** No more than the scheme of an address that has a login: where that ends may not be clear. */
  public static String withoutLogin(String address) {
    return address.strip().replaceFirst("(?s)^([A-Za-z][A-Za-z0-9+.-]*:/{0,3}).*", "$1***");
  }

  /** Whether an address holds a key, a password or the name of a user. */
  public static boolean hasLogin(String address) {
    return ADDRESS_WITH_LOGIN.matcher(address).matches();
  }
}
