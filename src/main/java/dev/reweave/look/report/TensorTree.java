package dev.reweave.look.report;

import dev.reweave.common.Printable;
import dev.reweave.storage.ByteSize;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;

/**
 * Tensors by the modules that hold them, as their dotted names say it, with sums. What is numbered
 * and alike, such as the layers of a model, stands in one line, and what is in each of them once.
 */
public final class TensorTree {
  /** What becomes of numbered modules with the same tensors in them. */
  public enum Repeated {
    /** One line for all of them. */
    FOLDED,
    /** Each by itself. */
    SHOWN
  }

  /** What a line tells of. */
  public enum Kind {
    HEADING,
    MODULE,
    TENSOR
  }

  /**
   * One line, in parts that can be told apart by colours.
   *
   * @param branch what leads to the name
   * @param name of a module or a tensor, relative to the one above
   * @param what the type and shape of a tensor, or how many are alike, in a column
   * @param figures parameters, bytes and share of all bytes, in columns
   */
  public record Line(Kind kind, String branch, String name, String what, String figures) {
    /** All of it, without colours. */
    public String text() {
      return branch + name + what + figures;
    }
  }

  /** Powers of 1000 of what is counted. */
  private static final String UNITS = " KMBT";

  /** Fewest that are told with a unit. */
  private static final long MANY = 10_000;

  private static final String GAP = "  ";

  /**
   * A line before the widths of columns are known.
   *
   * @param figures parameters, bytes, share
   */
  private record Row(Kind kind, String branch, String name, String what, List<String> figures) {
    int nameWidth() {
      return branch.length() + name.length();
    }
  }

  private final TreeNode root;
  private final Repeated repeated;

  private TensorTree(TreeNode root, Repeated repeated) {
    this.root = root;
    this.repeated = repeated;
  }

  /** The tree of what an address holds. */
  public static TensorTree of(Inspection inspection, Repeated repeated) {
    TreeNode root = new TreeNode("all");
    inspection.tensors().forEach(row -> root.add(inspection.component(row), row));
    return new TensorTree(root, repeated);
  }

  /** A heading, the sum of all, and a line for each module and tensor. */
  public List<Line> lines() {
    List<Row> rows = new ArrayList<>();
    rows.add(new Row(Kind.HEADING, "", "module", "", List.of("parameters", "bytes", "share")));
    rows.add(row("", root, 1));
    addBelow(root, "", 1, rows);
    int names = width(rows, Row::nameWidth);
    int whats = width(rows, row -> row.what().length());
    List<Integer> figures =
        List.of(
            width(rows, row -> row.figures().get(0).length()),
            width(rows, row -> row.figures().get(1).length()),
            width(rows, row -> row.figures().get(2).length()));
    return rows.stream()
        .map(
            row ->
                new Line(
                    row.kind(),
                    row.branch(),
                    row.name(),
                    " ".repeat(names - row.nameWidth())
                        + GAP
                        + row.what()
                        + " ".repeat(whats - row.what().length()),
                    columns(row.figures(), figures)))
        .toList();
  }

  private static int width(List<Row> rows, Function<Row, Integer> width) {
    return rows.stream().map(width).max(Integer::compare).orElse(0);
  }

  /** Flush right. */
  private static String columns(List<String> cells, List<Integer> widths) {
    StringBuilder line = new StringBuilder();
    for (int c = 0; c < cells.size(); c++) {
      line.append(GAP).append(" ".repeat(widths.get(c) - cells.get(c).length()));
      line.append(cells.get(c));
    }
    return line.toString();
  }

  /** Adds what is below a node that stands for so many. */
  private void addBelow(TreeNode node, String indent, int times, List<Row> rows) {
    List<TreeNode> children = node.children(repeated);
    for (int i = 0; i < children.size(); i++) {
      TreeNode child = children.get(i);
      boolean last = i == children.size() - 1;
      int all = times * child.copies();
      rows.add(row(indent + (last ? "└─ " : "├─ "), child, all));
      addBelow(child, indent + (last ? "   " : "│  "), all, rows);
    }
  }

  private Row row(String branch, TreeNode node, int times) {
    long bytes = times * node.bytes();
    double share = root.bytes() == 0 ? 0 : 100.0 * bytes / root.bytes();
    return new Row(
        node.tensor().isPresent() ? Kind.TENSOR : Kind.MODULE,
        branch,
        Printable.text(node.label()),
        what(node),
        List.of(
            magnitude(times * node.elements()),
            ByteSize.format(bytes),
            String.format(Locale.ROOT, "%.1f%%", share)));
  }

  private static String what(TreeNode node) {
    String alike = node.copies() > 1 ? node.copies() + " alike" : "";
    String tensor = node.tensor().map(row -> row.dtype() + " " + row.shape()).orElse("");
    return alike + (alike.isEmpty() || tensor.isEmpty() ? "" : ", ") + tensor;
  }

  /** About so many, for people: {@code 8.0 B}, {@code 525 M}, {@code 131 K}, {@code 4096}. */
  static String magnitude(long count) {
    if (count < MANY) {
      return String.valueOf(count);
    }
    double value = count;
    int unit = 0;
    // What would be rounded to 1000 belongs to the next unit.
    while (value >= 999.5 && unit < UNITS.length() - 1) {
      value /= 1000;
      unit++;
    }
    String digits = String.format(Locale.ROOT, value < 99.95 ? "%.1f" : "%.0f", value);
    return digits + " " + UNITS.charAt(unit);
  }
}
