package dev.reweave.storage;

import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The AWS SDK that the connector at hand uses: of a cluster, another than this was built with. */
final class AwsSdk {
  private static final Pattern VERSION = Pattern.compile("(\\d+)\\.(\\d+).*");

  private AwsSdk() {}

  /** Such as {@code 2.29.52}; empty if it does not say. */
  static String version() {
    try {
      // Read while it runs: the compiler would put its own version here.
      Object version =
          Class.forName("software.amazon.awssdk.core.util.VersionInfo")
              .getField("SDK_VERSION")
              .get(null);
      return String.valueOf(version);
    } catch (ReflectiveOperationException e) {
      return "";
    }
  }

  /** Whether a version is that, major and minor, or a later one. */
  static boolean isAtLeast(String version, List<Integer> least) {
    Matcher parts = VERSION.matcher(version);
    if (!parts.matches()) {
      return false;
    }
    int major = Integer.parseInt(parts.group(1));
    int minor = Integer.parseInt(parts.group(2));
    return major > least.get(0) || (major == least.get(0) && minor >= least.get(1));
  }

  /** Whether a class is there. */
  static boolean has(String name) {
    try {
      Class.forName(name, false, AwsSdk.class.getClassLoader());
      return true;
    } catch (ClassNotFoundException e) {
      return false;
    }
  }
}
