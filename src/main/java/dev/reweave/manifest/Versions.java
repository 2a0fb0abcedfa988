package dev.reweave.manifest;

import java.util.Optional;

/** Versions of the programs at work. */
public final class Versions {
  private Versions() {}

  /** The version in the jar's manifest; {@code development} where there is no jar. */
  public static String reweave() {
    return Optional.ofNullable(Versions.class.getPackage().getImplementationVersion())
        .orElse("development");
  }
}
