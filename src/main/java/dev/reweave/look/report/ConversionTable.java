package dev.reweave.look.report;

import dev.reweave.common.Printable;
import dev.reweave.manifest.ConversionEnd;
import dev.reweave.manifest.ConversionEnd.Status;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** What became of several conversions, in few words each: manifests of many would fill memory. */
public final class ConversionTable {
  private record Row(Status status, String tag, String output, String details) {}

  private static final int STATUS_WIDTH = 12;

  private final List<Row> rows = new ArrayList<>();

  /** Adds a conversion that has ended. */
  public void add(ConversionEnd end) {
    rows.add(
        new Row(
            end.status(),
            Printable.text(end.tag()),
            Printable.text(end.output()),
            Printable.text(end.details())));
  }

  /** Number of conversions that ended so. */
  public long count(Status status) {
    return rows.stream().filter(row -> row.status() == status).count();
  }

  /** How many of each kind, then one line for each conversion. */
  public List<String> lines() {
    List<String> lines = new ArrayList<>();
    lines.add(
        rows.size()
            + (rows.size() == 1 ? " conversion: " : " conversions: ")
            + Stream.of(Status.values())
                .map(status -> count(status) + " " + status)
                .collect(Collectors.joining(", ")));
    int tagWidth = width(rows.stream().map(Row::tag));
    int outputWidth = width(rows.stream().map(Row::output));
    for (Row row : rows) {
      lines.add(
          padded(row.status().toString(), STATUS_WIDTH)
              + padded(row.tag(), tagWidth)
              + padded(row.output(), outputWidth)
              + row.details());
    }
    return lines;
  }

  private static int width(Stream<String> texts) {
    int longest = texts.mapToInt(String::length).max().orElse(0);
    return longest == 0 ? 0 : longest + 2;
  }

  private static String padded(String text, int width) {
    return text + " ".repeat(width - text.length());
  }
}
