package dev.reweave.look.report;

import dev.reweave.common.Printable;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** Text in columns as wide as their widest cell; the last ones flush right where asked for. */
final class Table {
  private final List<List<String>> rows = new ArrayList<>();
  private final int leftColumns;

  /**
   * An empty table.
   *
   * @param leftColumns how many columns are flush left; those behind are flush right
   */
  Table(int leftColumns) {
    this.leftColumns = leftColumns;
  }

  Table row(String... cells) {
    rows.add(Stream.of(cells).map(Printable::text).toList());
    return this;
  }

  /** The lines, without trailing spaces. */
  List<String> lines() {
    int columns = rows.stream().mapToInt(List::size).max().orElse(0);
    int[] widths = new int[columns];
    for (List<String> row : rows) {
      for (int c = 0; c < row.size(); c++) {
        widths[c] = Math.max(widths[c], row.get(c).length());
      }
    }
    List<String> lines = new ArrayList<>();
    for (List<String> row : rows) {
      StringBuilder line = new StringBuilder();
      for (int c = 0; c < row.size(); c++) {
        String cell = row.get(c);
        String padding = " ".repeat(widths[c] - cell.length());
        line.append(c == 0 ? "" : "  ").append(c < leftColumns ? cell + padding : padding + cell);
      }
      lines.add(line.toString().stripTrailing());
    }
    return lines;
  }
}
