package dev.reweave.plan.prepare;

import dev.reweave.common.Location;
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
