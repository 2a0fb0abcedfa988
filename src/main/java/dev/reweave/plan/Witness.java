package dev.reweave.plan;

import dev.reweave.storage.InputFile;
import java.io.Serializable;
import java.util.List;

/**
 * What the tensors of a plan are compared with while they are made: the same weights, or nearly, as
 * they came to other files by another way.
 *
 * @param files that {@link PlannedFile#secondCopies} points into; none where nothing is compared
 */
public record Witness(List<InputFile> files, Kind kind, Extent extent) {
  /** Nothing is compared. */
  public static final Witness NONE = new Witness(List.of(), Kind.SECOND_COPY, Extent.ALL);

  /** What it can tell. */
  public enum Kind {
    /** The trainer's own second copy: it has the same numbers, in its type. */
    SECOND_COPY,
    /** The same, where nothing else says whose the numbers are: every element has to agree. */
    ONLY_PROOF,
    /** The model that training began with: it has numbers near them. */
    BASE
  }

  /** How much is compared. */
  public enum Extent implements Serializable {
    /** Every element. */
    ALL,
    /** {@link SampledElements}. */
    SAMPLE
  }

  public Witness {
    files = List.copyOf(files);
  }
}
