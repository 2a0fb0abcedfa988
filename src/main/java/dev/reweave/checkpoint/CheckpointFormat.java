package dev.reweave.checkpoint;

import java.util.List;

/**
 * A kind of checkpoint: it knows the traces that its writers leave, and reads what they saved. All
 * that is known of a format is behind this; {@code CheckpointFormats} lists them.
 */
public interface CheckpointFormat {
  /**
   * What of this format lies at a place: one of each model, nothing where there is no trace of it.
   * Looks at names, and at small files at most: what is wrong with what lies there is told when it
   * is read.
   */
  List<Contents> in(Place place);
}
