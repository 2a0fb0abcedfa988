package dev.reweave.soak;

import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * The table, as a person and as a program reads it.
 *
 * @param surroundings seed, date, versions, by what they are
 */
record Report(Map<String, String> surroundings, List<Tally> kinds) {
  Report {
    kinds = List.copyOf(kinds);
  }

  /** Counts outcomes by kind, and all together. */
  static Report of(Map<String, String> surroundings, List<String> kinds, List<Outcome> outcomes) {
    List<Tally> tallies = new ArrayList<>();
    for (String kind : kinds) {
      tallies.add(
          new Tally(kind, outcomes.stream().filter(o -> o.choice().kind().equals(kind)).toList()));
    }
    tallies.add(new Tally("all", outcomes));
    return new Report(surroundings, tallies);
  }

  private Tally all() {
    return kinds.get(kinds.size() - 1);
  }

  int failures() {
    return all().failures();
  }

  /** Writes {@code table.md} and {@code table.json}. */
  void write(Path folder) throws IOException {
    Files.createDirectories(folder);
    Files.writeString(folder.resolve("table.md"), markdown());
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("surroundings", surroundings);
    Map<String, Object> counts = new LinkedHashMap<>();
    kinds.forEach(kind -> counts.put(kind.kind(), kind.counts()));
    json.put("counts", counts);
    json.put(
        "failures",
        all().rounds().stream()
            .filter(o -> !o.failures().isEmpty())
            .map(o -> Map.of("round", o.choice().number(), "what", o.failures()))
            .toList());
    JsonMapper.builder()
        .enable(SerializationFeature.INDENT_OUTPUT)
        .build()
        .writeValue(folder.resolve("table.json").toFile(), json);
  }

  /** As a page has it: one column for each kind. */
  String markdown() {
    StringBuilder text = new StringBuilder();
    surroundings.forEach(
        (name, value) -> text.append("- ").append(name).append(": ").append(value).append('\n'));
    text.append(row("", kinds.stream().map(Tally::kind).toList()));
    text.append("|---|").append("--:|".repeat(kinds.size())).append('\n');
    for (String heading : all().counts().keySet()) {
      text.append(
          row(heading, kinds.stream().map(k -> k.counts().get(heading).toString()).toList()));
    }
    for (Outcome outcome : all().rounds()) {
      for (String failure : outcome.failures()) {
        text.append(
            "\nround %d (%s, %s): %s%n"
                .formatted(
                    outcome.choice().number(),
                    outcome.choice().kind(),
                    outcome.choice().made().name(),
                    failure));
      }
    }
    return text.toString();
  }

  private static String row(String heading, List<String> cells) {
    return "| "
        + heading
        + cells.stream().map(cell -> " | " + cell).collect(Collectors.joining())
        + " |\n";
  }
}
