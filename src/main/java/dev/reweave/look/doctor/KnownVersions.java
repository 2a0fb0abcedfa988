package dev.reweave.look.doctor;

import dev.reweave.checkpoint.TestedVersions;
import dev.reweave.common.PythonVersion;
import java.util.Map;
import java.util.Optional;

/** The versions of other people's software whose files have been looked at. */
final class KnownVersions {
  /** Of libraries that wrote a config. */
  private static final Map<String, String> NEWEST =
      Map.of("diffusers", TestedVersions.DIFFUSERS, "transformers", TestedVersions.TRANSFORMERS);

  /** Minor versions that go together, as far as configs tell. */
  private static final int CLOSE = 5;

  private static final int MOST_DIGITS = 9;

  private KnownVersions() {}

  /** What to say of a config that this version wrote. */
  static Optional<Finding> config(String library, String version, String place) {
    String newest = NEWEST.get(library);
    return newest != null && PythonVersion.isVersion(version) && isNewer(version, newest)
        ? Optional.of(
            Finding.info(
                "written by "
                    + library
                    + " "
                    + version
                    + ", newer than "
                    + newest
                    + ", the newest"
                    + " that was looked at",
                place))
        : Optional.empty();
  }

  /** Whether configs of two versions of a library are seldom found in one pipeline. */
  static boolean areFarApart(String left, String right) {
    int[] l = numbers(left);
    int[] r = numbers(right);
    return l[0] != r[0] || Math.abs((long) l[1] - r[1]) > CLOSE;
  }

  private static boolean isNewer(String version, String newest) {
    int[] own = numbers(version);
    int[] known = numbers(newest);
    boolean minorCounts = newest.indexOf('.') > 0;
    return own[0] > known[0] || (minorCounts && own[0] == known[0] && own[1] > known[1]);
  }

  /** Major and minor number. */
  private static int[] numbers(String version) {
    String[] parts = version.split("\\.", -1);
    return new int[] {leading(parts[0]), parts.length > 1 ? leading(parts[1]) : 0};
  }

  private static int leading(String part) {
    String digits = part.replaceFirst("\\D.*", "");
    if (digits.length() > MOST_DIGITS) {
      return Integer.MAX_VALUE; // no version, but a file can say so
    }
    return digits.isEmpty() ? 0 : Integer.parseInt(digits);
  }
}
