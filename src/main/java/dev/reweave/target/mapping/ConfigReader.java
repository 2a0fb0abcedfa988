package dev.reweave.target.mapping;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Reads how a {@code config.json} is made of a trainer's arguments. */
final class ConfigReader {
  private static final String WHEN = "when";
  private static final String ARGUMENT = "argument";
  private static final String NOT = "not";
  private static final String ROWS = "rows";
  private static final String ELSE = "else";
  private static final String AS = "as";

  private ConfigReader() {}

  static ConfigRecipe read(JsonObject root) {
    return new ConfigRecipe(members(root.table("config")));
  }

  private static ConfigValue.Members members(JsonObject object) {
    Map<String, ConfigValue> values = new LinkedHashMap<>();
    for (String name : object.names()) {
      if (!name.equals(WHEN)) {
        values.put(name, value(object, name));
      }
    }
    return new ConfigValue.Members(
        object.has(WHEN) ? conditions(object.table(WHEN)) : List.of(), values);
  }

  private static List<ConfigValue.Condition> conditions(JsonObject when) {
    List<ConfigValue.Condition> conditions = new ArrayList<>();
    for (String argument : when.names()) {
      List<JsonNode> allowed = when.scalars(argument);
      conditions.add(new ConfigValue.Condition(argument, allowed));
    }
    return conditions;
  }

  private static ConfigValue value(JsonObject object, String name) {
    if (!object.isTable(name)) {
      return new ConfigValue.Fixed(object.raw(name));
    }
    JsonObject value = object.table(name);
    if (value.has(ROWS)) {
      JsonObject rows = object.object(name, Set.of(ROWS, ARGUMENT));
      return new ConfigValue.Rows(rows.text(ROWS), rows.text(ARGUMENT));
    }
    if (value.has(NOT)) {
      JsonObject not = object.object(name, Set.of(NOT, ELSE));
      return new ConfigValue.Told(
          List.of(not.text(NOT)), ConfigValue.Form.OPPOSITE, otherwise(not));
    }
    if (value.has(ARGUMENT)) {
      JsonObject told = object.object(name, Set.of(ARGUMENT, ELSE, AS));
      return new ConfigValue.Told(
          told.hasList(ARGUMENT) ? told.texts(ARGUMENT) : List.of(told.text(ARGUMENT)),
          form(told),
          otherwise(told));
    }
    return members(value);
  }

  private static ConfigValue.Form form(JsonObject told) {
    return switch (told.optionalText(AS).orElse("told")) {
      case "told" -> ConfigValue.Form.AS_TOLD;
      case "real" -> ConfigValue.Form.REAL;
      default -> throw MappingFileFailures.unknownForm(told.place());
    };
  }

  private static Optional<JsonNode> otherwise(JsonObject value) {
    return value.has(ELSE) ? Optional.of(value.raw(ELSE)) : Optional.empty();
  }
}
