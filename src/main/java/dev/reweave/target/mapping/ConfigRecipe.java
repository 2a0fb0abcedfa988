package dev.reweave.target.mapping;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.BooleanNode;
import com.fasterxml.jackson.databind.node.DoubleNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.LongNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.reweave.tensor.Shape;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * How the {@code config.json} of a model is made of the arguments that its trainer stored, where no
 * base has one.
 *
 * @param config its members, and what the arguments have to be for a model of this kind
 */
record ConfigRecipe(ConfigValue.Members config) {
  private static final String WHERE = "; --base with the model's own config.json brings one along";

  /** Whether the arguments are of a model of this kind, of which they may not tell all. */
  boolean isOf(Map<String, JsonNode> arguments) {
    return !arguments.isEmpty() && config.when().stream().allMatch(c -> c.holds(arguments));
  }

  /**
   * Makes the config.
   *
   * @param tensors of the result, by name
   */
  MadeConfig make(Map<String, JsonNode> arguments, Map<String, Shape> tensors) {
    if (arguments.isEmpty()) {
      return none("the trainer stored no arguments, which would tell what to say in it");
    }
    List<String> missing = missing(config, arguments);
    if (!missing.isEmpty()) {
      return none("the trainer's arguments do not say " + String.join(", ", missing));
    }
    List<String> unfit = unfit(arguments);
    if (!unfit.isEmpty()) {
      return none(
          "the trainer's arguments say "
              + String.join(", ", unfit)
              + ", for which this kind of model has no place");
    }
    List<String> notes = new ArrayList<>();
    ObjectNode json = members(config, arguments, tensors, notes);
    return new MadeConfig(Optional.of(json), notes);
  }

  private static MadeConfig none(String why) {
    return new MadeConfig(Optional.empty(), List.of("no config.json is made: " + why + WHERE));
  }

  /** Arguments that are there, and of another kind of model. */
  private List<String> unfit(Map<String, JsonNode> arguments) {
    return config.when().stream()
        .filter(c -> arguments.containsKey(c.argument()) && !c.holds(arguments))
        .map(c -> c.argument() + " " + arguments.get(c.argument()).asText())
        .toList();
  }

  /** Arguments that are needed, and not there. */
  private static List<String> missing(
      ConfigValue.Members members, Map<String, JsonNode> arguments) {
    List<String> missing = new ArrayList<>();
    members.when().stream()
        .filter(c -> !arguments.containsKey(c.argument()) && !c.holds(arguments))
        .forEach(c -> missing.add(c.argument()));
    for (ConfigValue value : members.values().values()) {
      if (value instanceof ConfigValue.Told told
          && told.otherwise().isEmpty()
          && told.names().stream().noneMatch(arguments::containsKey)) {
        missing.add(String.join(" or ", told.names()));
      } else if (value instanceof ConfigValue.Members inner && isThere(inner, arguments)) {
        missing.addAll(missing(inner, arguments));
      }
    }
    return missing.stream().distinct().toList();
  }

  private static boolean isThere(ConfigValue.Members inner, Map<String, JsonNode> arguments) {
    return inner.when().stream().allMatch(c -> c.holds(arguments));
  }

  private static ObjectNode members(
      ConfigValue.Members members,
      Map<String, JsonNode> arguments,
      Map<String, Shape> tensors,
      List<String> notes) {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    // As transformers writes them.
    new TreeMap<>(members.values())
        .forEach(
            (key, value) ->
                value(key, value, arguments, tensors, notes).ifPresent(v -> json.set(key, v)));
    return json;
  }

  private static Optional<JsonNode> value(
      String key,
      ConfigValue value,
      Map<String, JsonNode> arguments,
      Map<String, Shape> tensors,
      List<String> notes) {
    if (value instanceof ConfigValue.Fixed fixed) {
      return Optional.of(fixed.value());
    }
    if (value instanceof ConfigValue.Told told) {
      return Optional.of(told(told, arguments));
    }
    if (value instanceof ConfigValue.Rows rows) {
      return rows(key, rows, arguments, tensors, notes);
    }
    ConfigValue.Members inner = (ConfigValue.Members) value;
    return isThere(inner, arguments)
        ? Optional.of(members(inner, arguments, tensors, notes))
        : Optional.empty();
  }

  private static JsonNode told(ConfigValue.Told told, Map<String, JsonNode> arguments) {
    Optional<JsonNode> said =
        told.names().stream().filter(arguments::containsKey).map(arguments::get).findFirst();
    if (said.isEmpty()) {
      return told.otherwise().orElseThrow();
    }
    JsonNode value = said.get();
    return switch (told.form()) {
      case AS_TOLD -> value;
      case REAL -> value.isNumber() ? DoubleNode.valueOf(value.doubleValue()) : value;
      case OPPOSITE -> BooleanNode.valueOf(!value.asBoolean());
    };
  }

  private static Optional<JsonNode> rows(
      String key,
      ConfigValue.Rows rows,
      Map<String, JsonNode> arguments,
      Map<String, Shape> tensors,
      List<String> notes) {
    Shape shape = tensors.get(rows.tensor());
    if (shape == null || shape.rank() == 0) {
      return Optional.empty();
    }
    if (!arguments.containsKey(rows.argument())) {
      notes.add(
          key
              + " of config.json is "
              + shape.dim(0)
              + ", the rows of "
              + rows.tensor()
              + ": the trainer's arguments have no "
              + rows.argument()
              + ", and do not tell how many of them are padding");
    }
    return Optional.of(LongNode.valueOf(shape.dim(0)));
  }
}
