package dev.reweave.target.mapping;

import com.fasterxml.jackson.databind.JsonNode;
import dev.reweave.common.JsonReader;
import java.util.ArrayList;
import java.util.HashSet;
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
      throw MappingFileFailures.notObject(place);
    }
    node.fieldNames()
        .forEachRemaining(
            name -> {
              if (!known.contains(name)) {
                throw MappingFileFailures.unknownMember(name, place);
              }
            });
  }

  /** Reads the object that a document is, and nothing else. */
  static JsonObject parse(byte[] json, String place, Set<String> known) {
    if (json.length > MOST_BYTES) {
      throw MappingFileFailures.tooLarge(MOST_BYTES, place);
    }
    try {
      return new JsonObject(JsonReader.STANDARD.tree(json, place), place, known);
    } catch (JsonReader.Broken e) {
      throw MappingFileFailures.notJson(e, place);
    }
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
    return optionalText(name).orElseThrow(() -> MappingFileFailures.noMember(name, place));
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
      throw MappingFileFailures.notText(name, place);
    }
    return value.textValue();
  }

  /** Whole number of at least {@code least}. */
  long number(String name, long least) {
    return number(node.path(name), name, least);
  }

  private long number(JsonNode value, String name, long least) {
    if (!value.isIntegralNumber() || !value.canConvertToLong() || value.longValue() < least) {
      throw MappingFileFailures.notNumber(name, least, place);
    }
    return value.longValue();
  }

  /** The member {@code dim}: which dimension is meant, from 0. */
  int dimension() {
    long dim = number("dim", 0);
    if (dim > Integer.MAX_VALUE) {
      throw MappingFileFailures.dimensionTooLarge(place);
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
        throw MappingFileFailures.notTableOfNumbers(name, place);
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
      throw MappingFileFailures.notList(name, place);
    }
    List<JsonNode> elements = new ArrayList<>();
    list.forEach(elements::add);
    return elements;
  }

  JsonObject object(String name, Set<String> known) {
    return new JsonObject(node.path(name), place + ", '" + name + "'", known);
  }

  /** The names of its members, in order. */
  List<String> names() {
    List<String> names = new ArrayList<>();
    node.fieldNames().forEachRemaining(names::add);
    return names;
  }

  /** A member as it stands there. */
  JsonNode raw(String name) {
    return node.path(name);
  }

  boolean isTable(String name) {
    return node.path(name).isObject();
  }

  /** An object that can have any members. */
  JsonObject table(String name) {
    JsonNode table = node.path(name);
    if (!table.isObject() || table.isEmpty()) {
      throw MappingFileFailures.notTable(name, place);
    }
    Set<String> all = new HashSet<>();
    table.fieldNames().forEachRemaining(all::add);
    return object(name, all);
  }

  /** A list of numbers, texts, truth values and null. */
  List<JsonNode> scalars(String name) {
    List<JsonNode> scalars = elements(name);
    if (scalars.stream().anyMatch(JsonNode::isContainerNode)) {
      throw MappingFileFailures.notScalars(name, place);
    }
    return scalars;
  }

  /** The objects of a table, by their names in it. */
  Map<String, JsonObject> table(String name, Set<String> known) {
    Map<String, JsonObject> objects = new LinkedHashMap<>();
    JsonNode table = node.path(name);
    if (!table.isObject() || table.isEmpty()) {
      throw MappingFileFailures.notTable(name, place);
    }
    for (Map.Entry<String, JsonNode> member : table.properties()) {
      String at = place + ", '" + name + "', '" + member.getKey() + "'";
      objects.put(member.getKey(), new JsonObject(member.getValue(), at, known));
    }
    return objects;
  }

  /** A whole number of at least 1, or a name that stands for one, or the quotient of two. */
  Amount amount(String name) {
    return amount(node.path(name), name);
  }

  private Amount amount(JsonNode value, String name) {
    return value.isTextual()
        ? Amount.parse(value.textValue(), this)
        : Amount.of(number(value, name, 1));
  }

  List<Amount> amounts(String name) {
    return elements(name).stream().map(value -> amount(value, name)).toList();
  }

  /** Amounts, of which one can be {@code "*"} for what remains. */
  List<Optional<Amount>> amountsOrRest(String name) {
    List<Optional<Amount>> amounts =
        elements(name).stream()
            .map(
                value ->
                    value.isTextual() && value.textValue().equals("*")
                        ? Optional.<Amount>empty()
                        : Optional.of(amount(value, name)))
            .toList();
    if (amounts.stream().filter(Optional::isEmpty).count() > 1) {
      throw MappingFileFailures.severalRests(name, place);
    }
    return amounts;
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
      throw MappingFileFailures.notTableOfTexts(name, place);
    }
    return value.properties();
  }
}
