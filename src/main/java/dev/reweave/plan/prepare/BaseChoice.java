package dev.reweave.plan.prepare;

import dev.reweave.common.Location;
import dev.reweave.common.Option;
import dev.reweave.common.Options;
import dev.reweave.storage.Stores;
import java.util.List;
import java.util.Optional;

/**
 * The model that a result should look like.
 *
 * @param address of a pipeline's folder or a single model's
 * @param mode what comes along of it
 * @param component the folder in it that the weights take the place of; empty to find out
 * @param variant of its weight files, such as {@code fp16}
 * @param pipeline class of the pipeline, for a {@code model_index.json} that is generated
 */
public record BaseChoice(
    Location address,
    Mode mode,
    Optional<String> component,
    Optional<String> variant,
    Optional<String> pipeline) {
  /** The model; without it, the others mean nothing. */
  public static final Option<Optional<String>> BASE =
      Option.text("base", "URI")
          .under(Option.Theme.BASE)
          .help("The pre-trained pipeline or model that the result should look like.")
          .more(": see [the base](base-and-mapping.md)");

  /** What comes along of it. */
  public static final Option<Mode> MODE =
      Option.choice("base-mode", Mode.COPY)
          .under(Option.Theme.BASE)
          .help(
              "What comes along of the base: all, the component's configs, nothing (default:"
                  + " copy).");

  private static final Option<Optional<String>> COMPONENT =
      Option.text("component", "NAME")
          .under(Option.Theme.BASE)
          .help("The folder of the base whose weights are replaced (default: by names).");

  private static final Option<Optional<String>> VARIANT =
      Option.text("variant", "NAME")
          .under(Option.Theme.BASE)
          .help("Variant of the base's weight files, such as fp16.");

  private static final Option<Optional<String>> PIPELINE =
      Option.text("pipeline", "CLASS")
          .under(Option.Theme.BASE)
          .help("Class for a model_index.json, where the base has none.");

  /** Its options. */
  public static final List<Option<?>> OPTIONS = List.of(BASE, MODE, COMPONENT, VARIANT, PIPELINE);

  /**
   * What was given; empty without a base.
   *
   * @throws IllegalArgumentException if something is said of a base that is not there
   */
  public static Optional<BaseChoice> of(Stores stores, Options options) {
    Options given = options.only(OPTIONS);
    if (!given.has(BASE) && !given.given().isEmpty()) {
      throw new IllegalArgumentException(
          "--base-mode, --component, --variant and --pipeline say something of --base");
    }
    return given
        .of(BASE)
        .map(
            base ->
                new BaseChoice(
                    stores.locate(base),
                    given.of(MODE),
                    given.of(COMPONENT),
                    given.of(VARIANT),
                    given.of(PIPELINE)));
  }

  /** What a trainer has put beside its weights, where nobody has named a base. */
  public static BaseChoice besideWeights(Location configs) {
    return new BaseChoice(configs, Mode.COPY, Optional.empty(), Optional.empty(), Optional.empty());
  }

  /** What of the base becomes part of the result. */
  public enum Mode {
    /** All of it but the weights that are replaced. */
    COPY,
    /** What stands in the component's folder beside its weights. */
    REFERENCE,
    /** Nothing: names, shapes and types are compared alone. */
    NONE
  }
}
