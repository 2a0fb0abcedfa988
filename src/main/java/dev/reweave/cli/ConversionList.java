package dev.reweave.cli;

import com.fasterxml.jackson.databind.JsonNode;
import dev.reweave.common.JsonReader;
import dev.reweave.common.Location;
import dev.reweave.common.Option;
import dev.reweave.common.Printable;
import dev.reweave.common.ReweaveException;
import dev.reweave.storage.InputFile;
import dev.reweave.storage.Stores;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * A file of conversions: one JSON object on each line, with the long options of {@code convert} as
 * names of its members. What a line does not say is as on the command line.
 */
final class ConversionList {
  private static final int MOST_BYTES = 64 << 20;

  /** A line is one object of texts and truth values. */
  private static final int MOST_DEPTH = 16;

  private static final JsonReader JSON = JsonReader.ofDepth(MOST_DEPTH);

  /** What is wrong with a list, and on which line. */
  static final class BrokenList extends Exception {
    private static final long serialVersionUID = 1L;

    BrokenList(String place, String problem) {
      super(Printable.text(place + ": " + problem));
    }
  }

  /**
   * One line.
   *
   * @param place file and number of the line
   * @param members options without dashes, each with its value; {@code true} or {@code false} of a
   *     flag
   */
  record Line(String place, Map<String, String> members) {}

  private final Map<String, Option<?>> known;

  /**
   * Lists of lines with these options.
   *
   * @param known by key
   */
  ConversionList(Map<String, Option<?>> known) {
    this.known = Map.copyOf(known);
  }

  /**
   * Reads all lines; those without any text are passed over.
   *
   * @throws BrokenList if a line is not as it should be, or there is none
   * @throws ReweaveException if the file cannot be read
   */
  List<Line> read(Stores stores, Location address) throws BrokenList {
    InputFile file = stores.file(address).orElseThrow(() -> CommandFailures.noList(address));
    List<Line> lines = new ArrayList<>();
    int number = 0;
    for (String text : text(stores.readAll(file, MOST_BYTES), address.uri()).lines().toList()) {
      number++;
      if (!text.isBlank()) {
        lines.add(line(text, address + ", line " + number));
      }
    }
    if (lines.isEmpty()) {
      throw new BrokenList(address.uri(), "no line with a conversion");
    }
    return lines;
  }

  private static String text(byte[] content, String address) throws BrokenList {
    try {
      return JsonReader.text(content);
    } catch (JsonReader.Broken e) {
      throw new BrokenList(address, e.problem());
    }
  }

  private Line line(String text, String place) throws BrokenList {
    JsonNode node;
    try {
      node = JSON.tree(text, place);
    } catch (JsonReader.Broken e) {
      throw new BrokenList(place, e.problem());
    }
    if (!node.isObject()) {
      throw new BrokenList(
          place, "not a JSON object such as {\"input\": \"URI\", \"output\": \"URI\"}");
    }
    Map<String, String> members = new TreeMap<>();
    for (Map.Entry<String, JsonNode> member : node.properties()) {
      members.put(member.getKey(), value(member.getKey(), member.getValue(), place));
    }
    return new Line(place, members);
  }

  private String value(String name, JsonNode value, String place) throws BrokenList {
    Option<?> option = known.get(name);
    if (option == null) {
      Set<String> names = new TreeSet<>(known.keySet());
      throw new BrokenList(
          place, "unknown key '" + name + "'; known are " + String.join(", ", names));
    }
    boolean flag = option.isFlag();
    if (flag ? !value.isBoolean() : !value.isTextual() || value.asText().isBlank()) {
      throw new BrokenList(place, "'" + name + "' is not " + (flag ? "true or false" : "a text"));
    }
    return value.asText();
  }
}
