package dev.reweave.storage;

import dev.reweave.common.Option;
import dev.reweave.common.Options;
import java.io.Serializable;
import java.util.List;

/**
 * How far what stands in files of unknown origin is followed.
 *
 * @param links what happens to symbolic links that lead out of a checkpoint or a base
 * @param limit how much of one file may be structure
 */
public record Safeguards(Links links, MetadataLimit limit) implements Serializable {
  /** No links out of the folder that is read, and as much structure as memory takes. */
  public static final Safeguards DEFAULT = new Safeguards(Links.INSIDE, MetadataLimit.DEFAULT);

  /** What happens to links. */
  public static final Option<Links> FOLLOW_LINKS =
      Option.flag("follow-links", Links.INSIDE, Links.ANYWHERE)
          .about(Option.Part.CONVERSION)
          .under(Option.Theme.READING)
          .help("Follow symbolic links in checkpoint and base that lead out of their folders.")
          .more("; without it they are refused");

  /** The limit for structure. */
  public static final Option<MetadataLimit> MAX_METADATA_BYTES =
      Option.unwritten("max-metadata-bytes", "SIZE", MetadataLimit.DEFAULT, MetadataLimit::parse)
          .about(Option.Part.CONVERSION)
          .under(Option.Theme.READING)
          .help(
              "Most bytes of structure of one file that are read into memory, such as 16MB: a zip"
                  + " directory, a pickle, a header, an index (default: as many as the memory"
                  + " takes, at most 256 MiB).");

  /** Its options. */
  public static final List<Option<?>> OPTIONS = List.of(FOLLOW_LINKS, MAX_METADATA_BYTES);

  /** What was given. */
  public static Safeguards of(Options options) {
    return new Safeguards(options.of(FOLLOW_LINKS), options.of(MAX_METADATA_BYTES));
  }

  /**
   * What happens to symbolic links that are found in a folder; local file systems alone have any.
   */
  public enum Links {
    /** Those that lead out of it are refused. */
    INSIDE,
    /** They are followed wherever they lead. */
    ANYWHERE
  }
}
