package dev.reweave.cli;

import dev.reweave.checkpoint.ReadOptions;
import dev.reweave.storage.Safeguards;
import java.util.Optional;
import picocli.CommandLine;
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
      paramLabel = "master|model|KEY",
      description =
          "fp32 master weights of the optimizer, or the module's own; by default masters where"
              + " they exist. Of a torch file with several dicts of tensors, the key of the one"
              + " that is meant, such as ema; below another, with a dot: state.ema.")
  private Optional<String> weights = Optional.empty();

  @Option(
      names = "--exclude-frozen",
      description = "Leave out parameters that were not trained, as for a LoRA adapter.")
  private boolean excludeFrozen;

  @Option(
      names = "--names",
      paramLabel = "plain|as-saved",
      defaultValue = "plain",
      converter = NamesChoice.class,
      description =
          "Names without what wrappers such as torch.compile and DDP put into them, or as they"
              + " were saved (default: ${DEFAULT-VALUE}).")
  private ReadOptions.Names tensorNames;

  @Mixin private SafeguardArguments safeguards;

  ReadOptions toOptions() {
    ReadOptions options =
        new ReadOptions(
                tag,
                Optional.empty(),
                excludeFrozen ? ReadOptions.Frozen.EXCLUDE : ReadOptions.Frozen.INCLUDE)
            .withNames(tensorNames)
            .withSafeguards(safeguards());
    return weights.map(options::withWeightsNamed).orElse(options);
  }

  /** What tensors are called. */
  ReadOptions.Names names() {
    return tensorNames;
  }

  /** How far files are followed. */
  Safeguards safeguards() {
    return safeguards.toSafeguards();
  }

  static final class NamesChoice implements CommandLine.ITypeConverter<ReadOptions.Names> {
    @Override
    public ReadOptions.Names convert(String text) {
      return ReadOptions.Names.parse(text)
          .orElseThrow(
              () ->
                  new CommandLine.TypeConversionException(
                      "'" + text + "' is not one of plain, as-saved"));
    }
  }
}
