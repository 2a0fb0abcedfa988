package dev.reweave.cli;

import dev.reweave.storage.MetadataLimit;
import dev.reweave.storage.Safeguards;
import java.util.Optional;
import picocli.CommandLine;
import picocli.CommandLine.Option;

/** Options that say how far the files of a checkpoint are followed. */
final class SafeguardArguments {
  static final String FOLLOW_LINKS = "--follow-links";
  static final String MAX_METADATA = "--max-metadata-bytes";

  @Option(
      names = FOLLOW_LINKS,
      description = "Follow symbolic links in checkpoint and base that lead out of their folders.")
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

  /** How far files are followed. */
  Safeguards toSafeguards() {
    return new Safeguards(
        followLinks ? Safeguards.Links.ANYWHERE : Safeguards.Links.INSIDE,
        maxMetadata.orElse(MetadataLimit.DEFAULT));
  }

  static final class Limit implements CommandLine.ITypeConverter<MetadataLimit> {
    @Override
    public MetadataLimit convert(String text) {
      try {
        return MetadataLimit.parse(text);
      } catch (IllegalArgumentException e) {
        throw new CommandLine.TypeConversionException(e.getMessage());
      }
    }
  }
}
