package dev.reweave.target.base;

import dev.reweave.tensor.AdapterNames;
import dev.reweave.tensor.TensorSpec;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** What differences most likely come from, and what to do about it. */
final class DifferenceHints {
  /** Of a base in which heads are tied, as long as nobody says so. */
  private static final Pattern HEAD = Pattern.compile("(?:.*\\.)?lm_head\\.weight");

  private static final Pattern ADAPTER =
      Pattern.compile("(?:^|[._])(?:lora_[AB]|lora_(?:down|up|embedding)|matrix_[AB])(?:[._]|$)");

  private static final String SAT_PREFIX = "model.diffusion_model.";

  private final Difference difference;

  DifferenceHints(Difference difference) {
    this.difference = difference;
  }

  /** The first kind of cause that is found: names of another kind explain all other differences. */
  List<String> find() {
    Optional<String> names =
        AdapterNames.inModel(difference.result().keySet())
            .or(this::adapter)
            .or(() -> new PrefixHint(difference).find())
            .or(this::unconverted);
    if (names.isPresent()) {
      return List.of(names.get());
    }
    ShapeHints shapes = new ShapeHints(difference);
    return Stream.of(
            shapes.patchEmbedding(),
            shapes.inputChannels(),
            new LayerHint(difference).find(),
            shapes.vocabulary(),
            untiedHead())
        .flatMap(Optional::stream)
        .toList();
  }

  private Optional<String> adapter() {
    boolean found =
        difference.unexpected().stream().anyMatch(t -> ADAPTER.matcher(t.name()).find());
    return Optional.of(
            "these are the weights of a LoRA adapter, which goes beside a base and does not take"
                + " the place of its weights: leave --base out, or name as --base the folder that"
                + " holds its adapter_config.json, to have the adapter alone")
        .filter(hint -> found);
  }

  private Optional<String> untiedHead() {
    return Optional.of(
            "the checkpoint has a head of its own, and the base ties it to the embedding or has"
                + " none: convert without --base, or name as --base the folder that the training"
                + " saved config.json in, which needs no weights")
        .filter(
            hint ->
                difference.missing().isEmpty()
                    && difference.unexpected().stream()
                        .anyMatch(t -> HEAD.matcher(t.name()).matches()));
  }

  private Optional<String> unconverted() {
    List<TensorSpec> unexpected = difference.unexpected();
    boolean sat = unexpected.stream().anyMatch(t -> t.name().contains(SAT_PREFIX));
    return Optional.of(
            "names with "
                + SAT_PREFIX
                + " are SAT's own: name a mapping to the base's names with --mapping")
        .filter(hint -> sat);
  }
}
