package dev.reweave.cli;

import dev.reweave.checkpoint.ReadOptions;
import dev.reweave.checkpoint.Weights;
import dev.reweave.plan.ByteSize;
import dev.reweave.storage.MetadataLimit;
import dev.reweave.storage.Safeguards;
import java.util.Optional;
import picocli.CommandLine;
import picocli.CommandLine.Option;

/** Options that choose what is read of a checkpoint. */
final class ReadArguments {
  static final String FOLLOW_LINKS = "--follow-links";
  static final String MAX_METADATA = "--max-metadata-bytes";

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

  @Option(
      names = FOLLOW_LINKS,
      description = "Follow symbolic links in the checkpoint that lead out of its folder.")
  private boolean followLinks;

  @Option(
      names = MAX_METADATA,
      paramLabel = "SIZE",
      converter = Limit.class,
      description =
          "Most bytes of structure of one file that are read into memory, such as 16MB: a zip"
              + " directory, a pickle, a header, an index (default: as many as the memory takes,"
              + " at most 256 MiB).")
  private Optional<MetadataLimit> maxMetadata = Optional.empty();

  ReadOptions toOptions() {
    return new ReadOptions(
            tag, weights, excludeFrozen ? ReadOptions.Frozen.EXCLUDE : ReadOptions.Frozen.INCLUDE)
        .withSafeguards(safeguards());
  }

  /** How far files are followed. */
  Safeguards safeguards() {
    return new Safeguards(
        followLinks ? Safeguards.Links.ANYWHERE : Safeguards.Links.INSIDE,
        maxMetadata.orElse(MetadataLimit.DEFAULT));
  }

  static final class Limit implements CommandLine.ITypeConverter<MetadataLimit> {
    @Override
    public MetadataLimit convert(String text) {
      try {
        return new MetadataLimit(ByteSize.parse(text));
      } catch (IllegalArgumentException e) {
        throw new CommandLine.TypeConversionException(e.getMessage());
      }
    }
  }
}
