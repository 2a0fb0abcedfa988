package dev.reweave.target.mapping;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Collection;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Supplier;

/**
 * What is known of a model beside its tensors, for rules that need numbers which no shape tells,
 * such as that of its heads.
 *
 * @param arguments numbers, truth values and texts that the trainer stored in the checkpoint, by
 *     their names there
 * @param configured whole numbers of the {@code config.json} of the model that the result shall
 *     look like, by their names there
 * @param modelType its {@code model_type}; empty without a base, or if it has none
 * @param names of the tensors of that model, of which there are none without one; asked for only
 *     where they can decide
 */
public record ModelFacts(
    Map<String, JsonNode> arguments,
    Map<String, Long> configured,
    String modelType,
    Supplier<? extends Collection<String>> names) {
  private static final String MODEL_TYPE = "model_type";

  /** Nothing but the tensors is known. */
  public static final ModelFacts NONE = new ModelFacts(Map.of(), Map.of(), "", Set::of);

  public ModelFacts {
    arguments = Map.copyOf(arguments);
    configured = Map.copyOf(configured);
  }

  /**
   * The facts.
   *
   * @param config the {@code config.json} of the model that the result shall look like, if there is
   *     one
   */
  public static ModelFacts of(
      Map<String, JsonNode> arguments,
      Optional<JsonNode> config,
      Supplier<? extends Collection<String>> names) {
    Map<String, Long> numbers = new TreeMap<>();
    config.ifPresent(
        c ->
            c.properties()
                .forEach(
                    e -> whole(e.getValue()).ifPresent(number -> numbers.put(e.getKey(), number))));
    String type = config.map(c -> c.path(MODEL_TYPE).asText("")).orElse("");
    return new ModelFacts(arguments, numbers, type, names);
  }

  private static OptionalLong whole(JsonNode value) {
    return value != null && value.isIntegralNumber() && value.canConvertToLong()
        ? OptionalLong.of(value.longValue())
        : OptionalLong.empty();
  }

  /** The whole number that the trainer has under a key. */
  OptionalLong trained(String key) {
    return whole(arguments.get(key));
  }

  /** The whole number that the config has under a key. */
  OptionalLong configured(String key) {
    Long number = configured.get(key);
    return number == null ? OptionalLong.empty() : OptionalLong.of(number);
  }
}
