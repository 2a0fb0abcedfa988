package dev.reweave.checkpoint;

import dev.reweave.common.Option;
import dev.reweave.common.Options;
import java.util.List;
import java.util.Optional;

/**
 * What of a model with an adapter in it is wanted.
 *
 * @param part of it; empty for all of it, as it was saved
 * @param name of the adapter, where there are several
 * @param config address of its {@code adapter_config.json}; empty for the one beside the checkpoint
 * @param merging whether both become one model
 */
public record AdapterChoice(
    Optional<Part> part, Optional<String> name, Optional<String> config, Merging merging) {
  /** A part of such a model. */
  public enum Part {
    /** The model that the adapter was trained on, without it. */
    BASE,
    /** The adapter, without the model. */
    ADAPTER
  }

  /** What becomes of the adapter. */
  public enum Merging {
    /** It stays by itself. */
    APART,
    /** It is added to the weights. */
    MERGED
  }

  /** One of the parts. */
  public static final Option<Optional<Part>> PART =
      Option.unwritten(
              "part",
              "base|adapter",
              Optional.<Part>empty(),
              text -> Optional.of(Option.among(List.of(Part.values()), text)))
          .recordedAs("part")
          .under(Option.Theme.ADAPTERS)
          .help("Of a model with an adapter of PEFT in it, one of both.")
          .more(": see [adapters](formats.md#adapters)");

  /** Both parts in one. */
  public static final Option<Merging> MERGE_ADAPTER =
      Option.flag("merge-adapter", Merging.APART, Merging.MERGED)
          .recordedAs("mergeAdapter")
          .under(Option.Theme.ADAPTERS)
          .help("Add the adapter to the weights that it was trained on, as merge_and_unload does.")
          .more(": see [merged adapters](formats.md#merged-adapters)");

  /** Which of several adapters. */
  public static final Option<Optional<String>> ADAPTER =
      Option.text("adapter", "NAME")
          .recordedAs("adapter")
          .under(Option.Theme.ADAPTERS)
          .help("Which of several adapters; by default the one that there is, or 'default'.");

  /** Where the adapter's config is. */
  public static final Option<Optional<String>> ADAPTER_CONFIG =
      Option.text("adapter-config", "URI")
          .recordedAs("adapterConfig")
          .under(Option.Theme.ADAPTERS)
          .help(
              "The adapter's adapter_config.json, or the part of one that says what names and"
                  + " shapes do not; by default the one beside the checkpoint.");

  /** All of them. */
  public static final List<Option<?>> OPTIONS =
      List.of(PART, ADAPTER, ADAPTER_CONFIG, MERGE_ADAPTER);

  /** What was given. */
  static AdapterChoice of(Options options) {
    return new AdapterChoice(
        options.of(PART),
        options.of(ADAPTER).filter(name -> !name.isEmpty()),
        options.of(ADAPTER_CONFIG).filter(uri -> !uri.isEmpty()),
        options.of(MERGE_ADAPTER));
  }

  /** Whether something is asked for that only such a model has. */
  public boolean isMade() {
    return part.isPresent() || isMerged();
  }

  /** Whether the adapter is added to the weights. */
  public boolean isMerged() {
    return merging == Merging.MERGED;
  }

  /** Whether it is that part that is wanted. */
  public boolean isOf(Part wanted) {
    return part.filter(wanted::equals).isPresent();
  }

  /** Whether a part is asked for and both. */
  boolean isContradiction() {
    return part.isPresent() && isMerged();
  }

  /** As the options say it, for messages. */
  public String text() {
    return isMerged()
        ? MERGE_ADAPTER.name()
        : part.map(p -> PART.name() + " " + Option.written(p)).orElse("");
  }
}
