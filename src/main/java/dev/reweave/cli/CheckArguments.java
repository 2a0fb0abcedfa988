package dev.reweave.cli;

import dev.reweave.convert.Checks;
import dev.reweave.storage.FileDigest;
import java.util.Optional;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** What is checked of a checkpoint, and before a result is published. */
final class CheckArguments {
  @Option(
      names = "--verify",
      negatable = true,
      description =
          "Read the result back and compare it with what was written before its index is published;"
              + " by default where the output is in an object store.")
  private Optional<Boolean> verify = Optional.empty();

  @Option(
      names = "--sha256",
      description =
          "Put the SHA-256 of each file into the manifest, as the Hugging Face Hub shows it.")
  private boolean sha256;

  @Option(
      names = "--on-nonfinite",
      paramLabel = "fail|warn|ignore",
      description =
          "What NaNs and infinities in the weights lead to: an error and no result, a warning"
              + " (default), or nothing.")
  private Checks.Nonfinite nonfinite = Checks.Nonfinite.WARN;

  @Mixin private StrictArguments strict;

  Checks toChecks() {
    return new Checks(
        verify
            .map(v -> v ? Checks.ReadBack.ALWAYS : Checks.ReadBack.NEVER)
            .orElse(Checks.ReadBack.OBJECT_STORES),
        sha256 ? FileDigest.Wanted.SHA256 : FileDigest.Wanted.CRC32C,
        nonfinite,
        strict.unfamiliar());
  }
}
