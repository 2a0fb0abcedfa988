package dev.reweave.checkpoint;

import dev.reweave.storage.Safeguards;
import dev.reweave.tensor.SlicingRule;
import java.util.List;
import java.util.Optional;

/**
 * What the user wants from a checkpoint.
 *
 * @param tag the saved step; empty for the one that {@code latest} names
 * @param weights the copy of the weights; empty for fp32 masters where they exist
 * @param frozen whether parameters that were not trained belong to the result
 * @param slicing how tensor-parallel ranks share tensors; the first rule that matches counts, and
 *     before what the checkpoint itself says
 * @param safeguards how far the checkpoint's files are followed
 */
public record ReadOptions(
    Optional<String> tag,
    Optional<Weights> weights,
    Frozen frozen,
    List<SlicingRule> slicing,
    Safeguards safeguards) {

  public ReadOptions {
    slicing = List.copyOf(slicing);
  }

  /** Options without rules for tensor-parallel ranks, with the usual safeguards. */
  public ReadOptions(Optional<String> tag, Optional<Weights> weights, Frozen frozen) {
    this(tag, weights, frozen, List.of(), Safeguards.DEFAULT);
  }

  /** The same for this saved step. */
  public ReadOptions withTag(String step) {
    return new ReadOptions(Optional.of(step), weights, frozen, slicing, safeguards);
  }

  /** The same for this copy of the weights. */
  public ReadOptions withWeights(Weights copy) {
    return new ReadOptions(tag, Optional.of(copy), frozen, slicing, safeguards);
  }

  /** The same with these rules for tensor-parallel ranks. */
  public ReadOptions withSlicing(List<SlicingRule> rules) {
    return new ReadOptions(tag, weights, frozen, rules, safeguards);
  }

  /** The same with these safeguards. */
  public ReadOptions withSafeguards(Safeguards others) {
    return new ReadOptions(tag, weights, frozen, slicing, others);
  }

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
