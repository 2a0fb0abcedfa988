package dev.reweave.base;

import dev.reweave.tensor.TensorSpec;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** What differences most likely come from, and what to do about it. */
final class DifferenceHints {
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
        adapter().or(() -> new PrefixHint(difference).find()).or(this::unconverted);
    if (names.isPresent()) {
      return List.of(names.get());
    }
    ShapeHints shapes = new ShapeHints(difference);
    return Stream.of(
            shapes.patchEmbedding(),
            shapes.inputChannels(),
            new LayerHint(difference).find(),
            shapes.vocabulary())
        .flatMap(Optional::stream)
        .toList();
  }

  private Optional<String> adapter() {
    boolean found =
        difference.unexpected().stream().anyMatch(t -> ADAPTER.matcher(t.name()).find());
    return Optional.of(
            "these are the weights of a LoRA adapter, which goes beside a base and does not take"
                + " the place of its weights: convert it as an adapter, or merge it into the model"
                + " before")
        .filter(hint -> found);
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
