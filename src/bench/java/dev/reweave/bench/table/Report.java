package dev.reweave.bench.table;

import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * The table, as a person and as a program reads it.
 *
 * @param surroundings machine, versions, date, by what they are
 */
record Report(Map<String, String> surroundings, List<Row> rows) {
  /** Writes {@code table.json} and {@code table.md}. */
  void write(Path folder) throws IOException {
    Files.createDirectories(folder);
    Files.writeString(folder.resolve("table.md"), markdown());
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("surroundings", surroundings);
    json.put("rows", rows.stream().map(Report::json).toList());
    JsonMapper.builder()
        .enable(SerializationFeature.INDENT_OUTPUT)
        .build()
        .writeValue(folder.resolve("table.json").toFile(), json);
  }

  private static Map<String, Object> json(Row row) {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("family", row.family());
    json.put("what", row.what());
    json.put("target", row.target());
    if (row.isMeasured()) {
      json.put("reached", row.reached().median());
      json.put("met", row.isMet());
      json.put("values", row.reached().values());
    }
    json.put(
        "figures",
        row.figures().stream()
            .filter(figure -> !figure.values().isEmpty())
            .map(Report::json)
            .toList());
    return json;
  }

  private static Map<String, Object> json(Figure figure) {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("name", figure.name());
    json.put("unit", figure.unit());
    json.put("median", figure.median());
    json.put("values", figure.values());
    return json;
  }

  /** As a page of the manual has it. */
  String markdown() {
    StringBuilder text = new StringBuilder();
    surroundings.forEach(
        (name, value) -> text.append("- ").append(name).append(": ").append(value).append('\n'));
    text.append("\n| what | target | reached | |\n|---|---|---|---|\n");
    rows.forEach(row -> text.append(line(row)).append('\n'));
    text.append("\n| what | medians of what that is made of |\n|---|---|\n");
    rows.stream()
        .filter(row -> !row.figures().isEmpty())
        .forEach(row -> text.append("| %s | %s |%n".formatted(row.what(), figures(row))));
    return text.toString();
  }

  /** One row. */
  static String line(Row row) {
    String reached = row.isMeasured() ? row.target().text(row.reached().median()) : "not measured";
    String met = row.isMeasured() ? (row.isMet() ? "met" : "missed") : "";
    return "| %s | %s | %s | %s |".formatted(row.what(), row.target().words(), reached, met);
  }

  private static String figures(Row row) {
    return row.figures().stream()
        .filter(figure -> !figure.values().isEmpty())
        .map(
            figure ->
                String.format(
                    Locale.ROOT, "%s %.2f %s", figure.name(), figure.median(), figure.unit()))
        .collect(Collectors.joining("; "));
  }
}
