package dev.reweave;

import static java.util.stream.Collectors.groupingBy;
import static java.util.stream.Collectors.joining;
import static java.util.stream.Collectors.toList;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * The manual's catalogue of errors: tables of what the factories make, between an introduction, a
 * heading for each kind, rows by hand for what no factory makes, and what stands behind the last
 * table, all of which it keeps.
 */
final class ErrorPage {
  static final Path FILE = ManualPages.FOLDER.resolve("errors.md");

  /** What stands before rows that are written by hand. */
  private static final String BY_HAND = "<!-- By hand, as no factory makes these: -->\n";

  private static final String REST = "\n## <a id=\"bug-reports\"></a>";
  private static final Pattern KIND = Pattern.compile("`([a-z-]+)`: .+");

  private static final Pattern MESSAGE = Pattern.compile("`([^`]+)`");

  private static final String TABLE = "| message | cause | what to do |\n|---|---|---|\n";

  /** Options with their values, calls, and words that Markdown would read as marks. */
  private static final Pattern CODE =
      Pattern.compile(
          "(?<![\\w`])(?:--[a-z][a-z-]*(?: (?:[A-Z]+|like-base|none|bin|keep|model|master|warn)\\b)?"
              + "|[\\w.]+\\(\\)"
              + "|[^\\s,;:()'\"`]*[*_{}<>\\[\\]\\\\][^\\s,;:()'\"`]*)");

  private final String introduction;
  private final Map<String, String> headings = new LinkedHashMap<>();
  private final Map<String, String> byHand = new LinkedHashMap<>();
  private final String rest;

  private ErrorPage(String text) {
    int end = text.indexOf(REST);
    String[] sections = text.substring(0, end).split("\n## ", -1);
    this.introduction = sections[0];
    this.rest = text.substring(end);
    for (int i = 1; i < sections.length; i++) {
      String heading = sections[i].lines().findFirst().orElseThrow();
      String kind = KIND.matcher(heading).results().findFirst().orElseThrow().group(1);
      headings.put(kind, heading);
      int hand = sections[i].indexOf(BY_HAND);
      byHand.put(kind, hand < 0 ? "" : "\n" + sections[i].substring(hand).strip() + "\n");
    }
  }

  static ErrorPage read() throws IOException {
    return new ErrorPage(Files.readString(FILE));
  }

  /** The kinds that have a section. */
  List<String> kinds() {
    return List.copyOf(headings.keySet());
  }

  /** The messages of all rows that are written by hand. */
  List<String> messagesByHand() {
    return byHand.values().stream()
        .flatMap(String::lines)
        .filter(line -> line.startsWith("| `"))
        .flatMap(row -> MESSAGE.matcher(row.substring(0, row.indexOf("` | ") + 1)).results())
        .map(message -> message.group(1))
        .toList();
  }

  /** The page with these errors, which are sorted by class. */
  String with(List<ErrorFactories.Entry> entries, ErrorFactories factories) {
    StringBuilder page = new StringBuilder(introduction);
    headings.forEach(
        (kind, heading) -> {
          page.append("\n## ").append(heading).append('\n');
          Map<HouseSources.Type, List<ErrorFactories.Entry>> byClass =
              entries.stream()
                  .filter(entry -> entry.kind().toString().equals(kind))
                  .collect(groupingBy(ErrorFactories.Entry::type, LinkedHashMap::new, toList()));
          byClass.forEach(
              (type, ofClass) ->
                  page.append("\n**")
                      .append(factories.firstSentence(type))
                      .append("**\n\n")
                      .append(TABLE)
                      .append(rows(ofClass)));
          page.append(byHand.get(kind));
        });
    return page.append(rest).toString();
  }

  /** Errors of one cause and remedy have one row. */
  private static String rows(List<ErrorFactories.Entry> entries) {
    Map<String, List<String>> rows = new LinkedHashMap<>();
    for (ErrorFactories.Entry entry : entries) {
      String why = " | " + entry.cause() + " | " + remedy(entry.remedies()) + " |\n";
      List<String> messages = rows.computeIfAbsent(why, w -> new ArrayList<>());
      entry.messages().stream()
          .map(message -> "`" + message.strip() + "`")
          .filter(message -> !messages.contains(message))
          .forEach(messages::add);
    }
    return rows.entrySet().stream()
        .map(row -> "| " + String.join(", ", row.getValue()) + row.getKey())
        .collect(joining());
  }

  private static String remedy(List<String> remedies) {
    return remedies.stream()
        .map(
            remedy ->
                remedy.equals(ErrorTexts.COMPUTED)
                    ? "as the message says"
                    : CODE.matcher(remedy).replaceAll("`$0`"))
        .collect(joining("; or "));
  }
}
