package dev.reweave.cli;

import dev.reweave.checkpoint.ReadOptions;
import dev.reweave.checkpoint.Weights;
import dev.reweave.storage.Safeguards;
import java.util.Optional;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Options that choose what is read of a checkpoint. */
final class ReadArguments {
  @Option(
      names = "--tag",
      paramLabel = "TAG",
      description =
          "The saved step; by default the one that 'latest' names. For convert also all, or new:"
              + " all that have no finished result.")
  private Optional<String> tag = Optional.empty();

  @Option(
      names = "--weights",
      paramLabel = "master|model",
      description =
          "fp32 master weights of the optimizer, or the module's own; by default masters where"
              + " they exist.")
  private Optional<Weights> weights = Optional.empty();

  @Option(
      names = "--exclude-frozen",
      description = "Leave out parameters that were not trained, as for a LoRA adapter.")
  private boolean excludeFrozen;

  @Mixin private SafeguardArguments safeguards;

  ReadOptions toOptions() {
    return new ReadOptions(
            tag, weights, excludeFrozen ? ReadOptions.Frozen.EXCLUDE : ReadOptions.Frozen.INCLUDE)
        .withSafeguards(safeguards());
  }

  /** How far files are followed. */
  Safeguards safeguards() {
    return safeguards.toSafeguards();
  }
}
