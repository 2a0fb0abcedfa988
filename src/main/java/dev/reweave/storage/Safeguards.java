package dev.reweave.storage;

import java.io.Serializable;

/**
 * How far what stands in files of unknown origin is followed.
 *
 * @param links what happens to symbolic links that lead out of a checkpoint or a base
 * @param limit how much of one file may be structure
 */
public record Safeguards(Links links, MetadataLimit limit) implements Serializable {
  /** No links out of the folder that is read, and as much structure as memory takes. */
  public static final Safeguards DEFAULT = new Safeguards(Links.INSIDE, MetadataLimit.DEFAULT);

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
