package dev.reweave.target.mapping;

import com.fasterxml.jackson.databind.JsonNode;
import dev.reweave.common.JsonReader;
import dev.reweave.common.ReweaveException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;

/** An object of a mapping file: each member is known, and of the type that it should be. */
final class JsonObject {
  private static final int MOST_BYTES = 4 << 20;

  private final JsonNode node;
  private final String place;

  private JsonObject(JsonNode node, String place, Set<String> known) {
    this.node = node;
    this.place = place;
    if (!node.isObject()) {
      throw broken("not a JSON object");
    }
    node.fieldNames()
        .forEachRemaining(
            name -> {
              if (!known.contains(name)) {
                throw broken("unknown member '" + name + "'");
              }
            });
  }

  /** Reads the object that a document is, and nothing else. */
  static JsonObject parse(byte[] json, String place, Set<String> known) {
    if (json.length > MOST_BYTES) {
      throw broken("a mapping of more than " + MOST_BYTES + " bytes", place);
    }
    try {
      return new JsonObject(JsonReader.STANDARD.tree(json, place), place, known);
    } catch (JsonReader.Broken e) {
      throw new ReweaveException(
          ReweaveException.Kind.USAGE, e.problem(), e.at(place), remedy(), e);
    }
  }

  private static String remedy() {
    return "correct the mapping file";
  }

  private static ReweaveException broken(String problem, String place) {
    return ReweaveException.usage(problem, place, remedy());
  }

  ReweaveException broken(String problem) {
    return broken(problem, place);
  }

  String place() {
    return place;
  }

  boolean has(String name) {
    return node.has(name);
  }

  /** Whether some text in the object has this in it. */
  boolean mentions(String text) {
    return node.toString().contains(text);
  }

  /** Whether a member is a list whose first element is an object. */
  boolean hasObjects(String name) {
    return node.path(name).path(0).isObject();
  }

  String text(String name) {
    return optionalText(name).orElseThrow(() -> broken("no '" + name + "'"));
  }

  Optional<String> optionalText(String name) {
    return has(name) ? Optional.of(text(node.get(name), name)) : Optional.empty();
  }

  /** A text that may have no characters. */
  String mayBeEmpty(String name) {
    return node.path(name).isTextual() && node.get(name).textValue().isEmpty() ? "" : text(name);
  }

  private String text(JsonNode value, String name) {
    if (!value.isTextual() || value.textValue().isEmpty()) {
      throw broken("'" + name + "' is not a text of at least one character");
    }
    return value.textValue();
  }

  /** Whole number of at least {@code least}. */
  long number(String name, long least) {
    return number(node.path(name), name, least);
  }

  private long number(JsonNode value, String name, long least) {
    if (!value.isIntegralNumber() || !value.canConvertToLong() || value.longValue() < least) {
      throw broken("'" + name + "' is not a whole number of at least " + least);
    }
    return value.longValue();
  }

  /** The member {@code dim}: which dimension is meant, from 0. */
  int dimension() {
    long dim = number("dim", 0);
    if (dim > Integer.MAX_VALUE) {
      throw broken("'dim' is too large");
    }
    return (int) dim;
  }

  /** Lengths of dimensions, each a number, or {@code "*"} for any. */
  List<OptionalLong> lengths(String name) {
    return elements(name).stream()
        .map(
            value ->
                value.isTextual() && value.textValue().equals("*")
                    ? OptionalLong.empty()
                    : OptionalLong.of(number(value, name, 0)))
        .toList();
  }

  List<String> texts(String name) {
    return elements(name).stream().map(value -> text(value, name)).toList();
  }

  List<Long> numbers(String name, long least) {
    return elements(name).stream().map(value -> number(value, name, least)).toList();
  }

  /** Lists of numbers, at least 0 each. */
  List<List<Long>> tableOfNumbers(String name) {
    List<List<Long>> rows = new ArrayList<>();
    for (JsonNode row : elements(name)) {
      if (!row.isArray() || row.isEmpty()) {
        throw broken("'" + name + "' is not a list of lists of numbers");
      }
      List<Long> numbers = new ArrayList<>();
      row.forEach(value -> numbers.add(number(value, name, 0)));
      rows.add(List.copyOf(numbers));
    }
    return rows;
  }

  boolean hasList(String name) {
    return node.path(name).isArray();
  }

  /** The objects of a list; in messages each has a place of its own. */
  List<JsonObject> objects(String name, String each, Set<String> known) {
    List<JsonObject> objects = new ArrayList<>();
    for (JsonNode value : elements(name)) {
      String at = place + ", " + each + " " + (objects.size() + 1);
      objects.add(new JsonObject(value, at, known));
    }
    return objects;
  }

  private List<JsonNode> elements(String name) {
    JsonNode list = node.path(name);
    if (!list.isArray() || list.isEmpty()) {
      throw broken("'" + name + "' is not a list of at least one element");
    }
    List<JsonNode> elements = new ArrayList<>();
    list.forEach(elements::add);
    return elements;
  }

  JsonObject object(String name, Set<String> known) {
    return new JsonObject(node.path(name), place + ", '" + name + "'", known);
  }

  /** A table of texts by a group's name, by group. */
  Map<String, Map<String, String>> tables(String name) {
    Map<String, Map<String, String>> tables = new LinkedHashMap<>();
    if (has(name)) {
      for (Map.Entry<String, JsonNode> table : members(node.get(name), name)) {
        Map<String, String> entries = new LinkedHashMap<>();
        for (Map.Entry<String, JsonNode> entry : members(table.getValue(), name)) {
          entries.put(entry.getKey(), text(entry.getValue(), name));
        }
        tables.put(table.getKey(), Map.copyOf(entries));
      }
    }
    return tables;
  }

  private Set<Map.Entry<String, JsonNode>> members(JsonNode value, String name) {
    if (!value.isObject() || value.isEmpty()) {
      throw broken("'" + name + "' is not a table of texts by group");
    }
    return value.properties();
  }
}
