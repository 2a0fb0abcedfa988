package dev.reweave.checkpoint;

import dev.reweave.common.Option;
import dev.reweave.common.Options;
import dev.reweave.common.ReweaveException;
import dev.reweave.storage.Safeguards;
import dev.reweave.tensor.SlicingRule;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * What the user wants from a checkpoint.
 *
 * @param options those of {@link #OPTIONS} that were given
 * @param slicing how tensor-parallel ranks share tensors; the first rule that matches counts, and
 *     before what the checkpoint itself says
 * @param adapters who gives adapters their names
 * @param taken whether what training goes on from is read, too
 */
public record ReadOptions(
    Options options, List<SlicingRule> slicing, AdapterNaming adapters, Taken taken) {
  /** What is read of a checkpoint. */
  public enum Taken {
    /** The weights. */
    WEIGHTS,
    /** The weights, and what training goes on from. */
    ALL
  }

  /** Where the names of an adapter that was saved alone come from. */
  public enum AdapterNaming {
    /** They are those of the file that PEFT makes of it. */
    OF_ITS_FILE,
    /** A mapping that was asked for has rules for those in memory. */
    BY_MAPPING
  }

  /** The saved step; empty for the one that {@code latest} names. */
  public static final Option<Optional<String>> TAG =
      Option.text("tag", "TAG")
          .under(Option.Theme.READING)
          .help(
              "The saved step; by default the one that 'latest' names. For convert also all, or"
                  + " new: all that have no finished result.");

  /** The saved steps of which the mean is taken; empty for one step. */
  public static final Option<Optional<String>> AVERAGE_TAGS =
      Option.text("average-tags", "TAG,TAG…|last:N")
          .recordedAs("averageTags")
          .checked(tags -> tags.map(t -> StepChoice.parse(t).toString()))
          .under(Option.Theme.READING)
          .help(
              "In place of one saved step the mean of several, by their tags, or of the last N:"
                  + " numbers of 32 bits, which become --dtype.")
          .more(": see [the mean of several steps](formats.md#the-mean-of-several-steps)");

  /**
   * {@code master}, {@code model}, {@code ema}, or the keys that lead to a dict of tensors in a
   * torch file.
   */
  public static final Option<Optional<String>> WEIGHTS =
      Option.text("weights", "master|model|ema|KEY")
          .recordedAs("weights")
          .checked(name -> name.map(n -> copy(n).map(Option::written).orElse(n)))
          .under(Option.Theme.READING)
          .help(
              "fp32 master weights of the optimizer, or the module's own; by default masters where"
                  + " they exist; or the moving average that the trainer keeps of them. Of a torch"
                  + " file with several dicts of tensors, the key of the one that is meant; below"
                  + " another, with a dot: state.best.")
          .more(
              ": see [moving averages](formats.md#moving-averages) and [torch"
                  + " files](formats.md#torch-files)");

  /** Whether parameters that were not trained belong to the result. */
  public static final Option<Frozen> EXCLUDE_FROZEN =
      Option.flag("exclude-frozen", Frozen.INCLUDE, Frozen.EXCLUDE)
          .recordedAs("frozen")
          .under(Option.Theme.READING)
          .help("Leave out parameters that were not trained, as for a LoRA adapter.");

  /** What tensors are called. */
  public static final Option<Names> NAMES =
      Option.choice("names", Names.PLAIN)
          .recordedAs("names")
          .under(Option.Theme.READING)
          .help(
              "Names without what wrappers such as torch.compile and DDP put into them, or as they"
                  + " were saved (default: ${DEFAULT-VALUE}).")
          .more(": see [names that wrappers leave](formats.md#names-that-wrappers-leave)");

  /** All of them. */
  public static final List<Option<?>> OPTIONS =
      Stream.of(
              List.of(TAG, AVERAGE_TAGS, WEIGHTS, EXCLUDE_FROZEN, NAMES),
              AdapterChoice.OPTIONS,
              Safeguards.OPTIONS)
          .<Option<?>>flatMap(List::stream)
          .toList();

  /**
   * Checks that weights have a name, and that one step is meant or several are.
   *
   * @throws ReweaveException if they have an empty one, if both are, or if what is merged is to be
   *     a part or a mean
   */
  public ReadOptions {
    options = options.only(OPTIONS);
    slicing = List.copyOf(slicing);
    if (options.of(WEIGHTS).filter(String::isBlank).isPresent()) {
      throw CheckpointFailures.nothingNamed();
    }
    if (AdapterChoice.of(options).isContradiction()) {
      throw CheckpointFailures.partOfMerged();
    }
    if (AdapterChoice.of(options).isMerged() && options.of(AVERAGE_TAGS).isPresent()) {
      throw CheckpointFailures.meanOfMerged();
    }
    if (options.of(TAG).isPresent() && options.of(AVERAGE_TAGS).isPresent()) {
      throw CheckpointFailures.oneStepAndSeveral();
    }
  }

  /** Options without rules for tensor-parallel ranks. */
  public ReadOptions(Options options) {
    this(options, List.of(), AdapterNaming.OF_ITS_FILE, Taken.WEIGHTS);
  }

  /** Options for plain names, without rules for tensor-parallel ranks, with usual safeguards. */
  public ReadOptions(Optional<String> tag, Optional<Weights> weights, Frozen frozen) {
    this(
        Options.NONE
            .with(TAG, tag)
            .with(WEIGHTS, weights.map(Option::written))
            .with(EXCLUDE_FROZEN, frozen));
  }

  /** The newest tag, fp32 masters where they exist, all parameters. */
  public static ReadOptions defaults() {
    return new ReadOptions(Options.NONE);
  }

  /** The same with another value of an option. */
  public <T> ReadOptions with(Option<T> option, T value) {
    return new ReadOptions(options.with(option, value), slicing, adapters, taken);
  }

  /** The same for this saved step. */
  public ReadOptions withTag(String step) {
    return with(TAG, Optional.of(step));
  }

  /** The same for this copy of the weights. */
  public ReadOptions withWeights(Weights copy) {
    return withWeightsNamed(Option.written(copy));
  }

  /** The same for all that there is, with nothing merged. */
  public ReadOptions ofAllParts() {
    return with(AdapterChoice.PART, Optional.empty())
        .with(AdapterChoice.MERGE_ADAPTER, AdapterChoice.Merging.APART);
  }

  /** The same with tensors called so. */
  public ReadOptions withNames(Names wanted) {
    return with(NAMES, wanted);
  }

  /**
   * The same for weights as {@code --weights} names them.
   *
   * @throws ReweaveException if that is no name
   */
  public ReadOptions withWeightsNamed(String name) {
    return with(WEIGHTS, Optional.of(name));
  }

  /** The same with these rules for tensor-parallel ranks. */
  public ReadOptions withSlicing(List<SlicingRule> rules) {
    return new ReadOptions(options, rules, adapters, taken);
  }

  /** The same for names that a mapping gives. */
  public ReadOptions mapped() {
    return new ReadOptions(options, slicing, AdapterNaming.BY_MAPPING, taken);
  }

  /**
   * The same with what training goes on from: of fp32 masters, under the names that the training
   * itself has for its parameters.
   */
  public ReadOptions withOptimizer() {
    return new ReadOptions(options.with(NAMES, Names.AS_SAVED), slicing, adapters, Taken.ALL);
  }

  /** The same of weights alone. */
  public ReadOptions ofWeights() {
    return new ReadOptions(options, slicing, adapters, Taken.WEIGHTS);
  }

  /** Whether what training goes on from is wanted. */
  public boolean wantsOptimizer() {
    return taken == Taken.ALL;
  }

  /** The same with these safeguards. */
  public ReadOptions withSafeguards(Safeguards others) {
    return with(Safeguards.FOLLOW_LINKS, others.links())
        .with(Safeguards.MAX_METADATA_BYTES, others.limit());
  }

  public Optional<String> tag() {
    return options.of(TAG);
  }

  /** The steps of which the mean is wanted; empty if one step is. */
  public Optional<StepChoice> averaged() {
    return options.of(AVERAGE_TAGS).map(StepChoice::parse);
  }

  public Optional<Weights> weights() {
    return options.of(WEIGHTS).flatMap(ReadOptions::copy);
  }

  private static Optional<Weights> copy(String name) {
    return Arrays.stream(Weights.values()).filter(w -> w.name().equalsIgnoreCase(name)).findFirst();
  }

  /**
   * The keys, with dots between them, that lead to a dict of tensors in a torch file; empty for the
   * one that trainers put the model in.
   */
  public Optional<String> key() {
    return options.of(WEIGHTS).filter(name -> copy(name).isEmpty());
  }

  /** Whether the moving average of the weights is asked for, wherever it is. */
  public boolean wantsAverage() {
    return key().filter(EmaSearch.NAME::equals).isPresent();
  }

  public Optional<String> weightsNamed() {
    return options.of(WEIGHTS);
  }

  public Frozen frozen() {
    return options.of(EXCLUDE_FROZEN);
  }

  public Names names() {
    return options.of(NAMES);
  }

  /** What of a model with an adapter in it is wanted. */
  public AdapterChoice adapter() {
    return AdapterChoice.of(options);
  }

  public Safeguards safeguards() {
    return Safeguards.of(options);
  }

  /**
   * Refuses a key where there are no dicts in a torch file to choose among.
   *
   * @param place what is read, for messages
   */
  public void requireNoKey(String place) {
    if (key().isPresent()) {
      throw CheckpointFailures.noChoice(key().get(), place);
    }
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
    AS_SAVED
  }
}
