package dev.reweave.target.mapping;

import com.fasterxml.jackson.core.util.DefaultIndenter;
import com.fasterxml.jackson.core.util.DefaultPrettyPrinter;
import com.fasterxml.jackson.core.util.Separators;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * A {@code config.json} of what the trainer stored, or why there is none.
 *
 * @param json the config, without the type of the weights
 * @param notes what the user should know of it
 */
public record MadeConfig(Optional<ObjectNode> json, List<String> notes) {
  private static final ObjectMapper JSON = JsonMapper.builder().build();

  public MadeConfig {
    notes = List.copyOf(notes);
  }

  /** A config as {@code save_pretrained} writes one: sorted, with two spaces, and a line's end. */
  public static byte[] bytes(ObjectNode json) {
    ObjectNode sorted = JSON.createObjectNode();
    Map<String, JsonNode> members = new TreeMap<>();
    json.properties().forEach(member -> members.put(member.getKey(), member.getValue()));
    members.forEach(sorted::set);
    DefaultIndenter lines = new DefaultIndenter("  ", "\n");
    Separators separators =
        Separators.createDefaultInstance()
            .withObjectFieldValueSpacing(Separators.Spacing.AFTER)
            .withObjectEmptySeparator("")
            .withArrayEmptySeparator("");
    DefaultPrettyPrinter printer =
        new DefaultPrettyPrinter(separators).withObjectIndenter(lines).withArrayIndenter(lines);
    try {
      String text = JSON.writer(printer).writeValueAsString(sorted);
      return (text + "\n").getBytes(StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
