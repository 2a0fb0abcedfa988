package dev.reweave.checkpoint;

import dev.reweave.common.ReweaveException;
import dev.reweave.storage.Safeguards;
import dev.reweave.tensor.SlicingRule;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * What the user wants from a checkpoint.
 *
 * @param tag the saved step; empty for the one that {@code latest} names
 * @param weights the copy of the weights; empty for fp32 masters where they exist
 * @param key the keys, with dots between them, that lead to a dict of tensors in a torch file;
 *     empty for the one that trainers put the model in
 * @param frozen whether parameters that were not trained belong to the result
 * @param names what tensors are called
 * @param slicing how tensor-parallel ranks share tensors; the first rule that matches counts, and
 *     before what the checkpoint itself says
 * @param safeguards how far the checkpoint's files are followed
 */
public record ReadOptions(
    Optional<String> tag,
    Optional<Weights> weights,
    Optional<String> key,
    Frozen frozen,
    Names names,
    List<SlicingRule> slicing,
    Safeguards safeguards) {

  public ReadOptions {
    slicing = List.copyOf(slicing);
  }

  /** Options for plain names, without rules for tensor-parallel ranks, with usual safeguards. */
  public ReadOptions(Optional<String> tag, Optional<Weights> weights, Frozen frozen) {
    this(tag, weights, Optional.empty(), frozen, Names.PLAIN, List.of(), Safeguards.DEFAULT);
  }

  /** The same for this saved step. */
  public ReadOptions withTag(String step) {
    return new ReadOptions(Optional.of(step), weights, key, frozen, names, slicing, safeguards);
  }

  /** The same for this copy of the weights. */
  public ReadOptions withWeights(Weights copy) {
    return new ReadOptions(
        tag, Optional.of(copy), Optional.empty(), frozen, names, slicing, safeguards);
  }

  /** The same with tensors called so. */
  public ReadOptions withNames(Names wanted) {
    return new ReadOptions(tag, weights, key, frozen, wanted, slicing, safeguards);
  }

  /**
   * The same for weights as {@code --weights} names them: {@code master}, {@code model}, or else
   * the keys of a dict of tensors in a torch file.
   *
   * @throws ReweaveException if that is no name
   */
  public ReadOptions withWeightsNamed(String name) {
    if (name.isBlank()) {
      throw CheckpointFailures.nothingNamed();
    }
    Optional<Weights> copy =
        Arrays.stream(Weights.values()).filter(w -> w.name().equalsIgnoreCase(name)).findFirst();
    Optional<String> path = copy.isPresent() ? Optional.empty() : Optional.of(name);
    return new ReadOptions(tag, copy, path, frozen, names, slicing, safeguards);
  }

  /** The weights as {@link #withWeightsNamed} takes them; empty where none are asked for. */
  public Optional<String> weightsNamed() {
    return weights.map(w -> w.name().toLowerCase(Locale.ROOT)).or(() -> key);
  }

  /**
   * Refuses a key where there are no dicts in a torch file to choose among.
   *
   * @param place what is read, for messages
   */
  public void requireNoKey(String place) {
    if (key.isPresent()) {
      throw CheckpointFailures.noChoice(key.get(), place);
    }
  }

  /** The same with these rules for tensor-parallel ranks. */
  public ReadOptions withSlicing(List<SlicingRule> rules) {
    return new ReadOptions(tag, weights, key, frozen, names, rules, safeguards);
  }

  /** The same with these safeguards. */
  public ReadOptions withSafeguards(Safeguards others) {
    return new ReadOptions(tag, weights, key, frozen, names, slicing, others);
  }

  /** What happens to parameters that were not trained. */
  public enum Frozen {
    INCLUDE,
    EXCLUDE
  }

  /** What tensors are called. */
  public enum Names {
    /** As in the model: without the parts that modules around others put into names. */
    PLAIN,
    /** As in the files. */
    AS_SAVED;

    /** As it is written on the command line and in manifests. */
    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /** What such a text says; empty if it is none. */
    public static Optional<Names> parse(String text) {
      return Arrays.stream(values()).filter(n -> n.toString().equals(text)).findFirst();
    }
  }

  /** The newest tag, fp32 masters where they exist, all parameters. */
  public static ReadOptions defaults() {
    return new ReadOptions(Optional.empty(), Optional.empty(), Frozen.INCLUDE);
  }
}
