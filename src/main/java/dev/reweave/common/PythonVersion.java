package dev.reweave.common;

import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Versions of Python libraries, as their names for releases go. */
public final class PythonVersion {
  // What comes before a release sorts before it: 1.0.dev0, 1.0a1, 1.0b1, 1.0rc1, 1.0.
  private static final Pattern VERSION =
      Pattern.compile(
          "(\\d{1,9}(?:\\.\\d{1,9}){0,9})(?:\\.?(dev|a|b|rc|post)(\\d{1,9}))?[+.\\w-]*");

  private static final List<String> STAGES = List.of("dev", "a", "b", "rc", "", "post");

  private PythonVersion() {}

  /** Whether a text is a version that {@link #compare} understands. */
  public static boolean isVersion(String text) {
    return VERSION.matcher(text).matches();
  }

  /** Compares versions as Python orders them: {@code 0.9.1 < 0.40.0.dev0 < 0.40.0}. */
  public static int compare(String left, String right) {
    Matcher l = parsed(left);
    Matcher r = parsed(right);
    String[] ls = l.group(1).split("\\.", -1);
    String[] rs = r.group(1).split("\\.", -1);
    for (int i = 0; i < Math.max(ls.length, rs.length); i++) {
      int order = Integer.compare(number(ls, i), number(rs, i));
      if (order != 0) {
        return order;
      }
    }
    int order = Integer.compare(stage(l), stage(r));
    return order != 0 ? order : Integer.compare(number(l), number(r));
  }

  private static Matcher parsed(String version) {
    Matcher matcher = VERSION.matcher(version);
    if (!matcher.matches()) {
      throw new IllegalArgumentException("no version: " + version);
    }
    return matcher;
  }

  private static int number(String[] parts, int i) {
    return i < parts.length ? Integer.parseInt(parts[i]) : 0;
  }

  private static int number(Matcher version) {
    return version.group(3) == null ? 0 : Integer.parseInt(version.group(3));
  }

  private static int stage(Matcher version) {
    return STAGES.indexOf(version.group(2) == null ? "" : version.group(2));
  }
}
