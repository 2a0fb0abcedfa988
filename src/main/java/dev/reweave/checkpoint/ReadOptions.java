package dev.reweave.checkpoint;

import java.util.Optional;

/**
 * What the user wants from a checkpoint.
 *
 * @param tag the saved step; empty for the one that {@code latest} names
 * @param weights the copy of the weights; empty for fp32 masters where they exist
 * @param frozen whether parameters that were not trained belong to the result
 */
public record ReadOptions(Optional<String> tag, Optional<Weights> weights, Frozen frozen) {

  /** What happens to parameters that were not trained. */
  public enum Frozen {
    INCLUDE,
    EXCLUDE
  }

  /** The newest tag, fp32 masters where they exist, all parameters. */
  public static ReadOptions defaults() {
    return new ReadOptions(Optional.empty(), Optional.empty(), Frozen.INCLUDE);
  }
}
