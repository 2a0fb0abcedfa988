package dev.reweave.checkpoint.deepspeed;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The version of DeepSpeed that a file states. One that states none is older than all others:
 * {@code ds_version} is written since 0.4.0.
 */
record DeepSpeedVersion(int major, int minor, int patch) {
  private static final Pattern NUMBERS =
      Pattern.compile("(\\d{1,6})\\.(\\d{1,6})(?:\\.(\\d{1,6}))?.*");

  static DeepSpeedVersion of(String text) {
    Matcher m = NUMBERS.matcher(text);
    if (!m.matches()) {
      return new DeepSpeedVersion(0, 0, 0);
    }
    String patch = m.group(3);
    return new DeepSpeedVersion(
        Integer.parseInt(m.group(1)),
        Integer.parseInt(m.group(2)),
        patch == null ? 0 : Integer.parseInt(patch));
  }

  boolean isSince(int otherMajor, int otherMinor, int otherPatch) {
    if (major != otherMajor) {
      return major > otherMajor;
    }
    return minor != otherMinor ? minor > otherMinor : patch >= otherPatch;
  }
}
