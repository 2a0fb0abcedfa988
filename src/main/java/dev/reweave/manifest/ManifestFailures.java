package dev.reweave.manifest;

import dev.reweave.common.ReweaveException;

/** What can be wrong with a manifest, in words of the user. */
final class ManifestFailures {
  private ManifestFailures() {}

  /** The file was changed, cut off, or is of something else. */
  static ReweaveException noManifest(String reason, String place, Throwable cause) {
    return new ReweaveException(
        "this is no manifest of a conversion (" + reason + ")",
        place,
        "convert again with --overwrite",
        cause);
  }
}
