package dev.reweave.cli;

import dev.reweave.checkpoint.Unfamiliar;
import picocli.CommandLine.Option;

/** What becomes of a checkpoint of which not everything is known. */
final class StrictArguments {
  static final String STRICT = "--strict";

  @Option(
      names = STRICT,
      description =
          "Take it as an error, and no warning, if the checkpoint has keys that are not known and"
              + " may change where weights lie, or is of a version newer than those that were"
              + " tested.")
  private boolean strict;

  Unfamiliar unfamiliar() {
    return strict ? Unfamiliar.REFUSE : Unfamiliar.TELL;
  }
}
