package dev.reweave.manifest;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Optional;
import java.util.Properties;

/** Versions of the programs at work. */
public final class Versions {
  private static final String BUILD = "/dev/reweave/build.properties";

  private Versions() {}

  /** The version in the jar's manifest; {@code development} where there is no jar. */
  public static String reweave() {
    return Optional.ofNullable(Versions.class.getPackage().getImplementationVersion())
        .orElse("development");
  }

  /** The commit that was built, in hexadecimal digits; empty if the build did not know it. */
  public static Optional<String> commit() {
    try (InputStream in = Versions.class.getResourceAsStream(BUILD)) {
      return in == null ? Optional.empty() : commit(in);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The commit that a build wrote into its properties; what is no commit stands for none. */
  static Optional<String> commit(InputStream build) throws IOException {
    Properties properties = new Properties();
    properties.load(build);
    return Optional.of(properties.getProperty("commit", ""))
        .filter(commit -> commit.matches("[0-9a-f]{7,64}"));
  }
}
