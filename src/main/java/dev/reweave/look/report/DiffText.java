package dev.reweave.look.report;

import dev.reweave.checkpoint.Checkpoint;
import dev.reweave.checkpoint.Weights;
import dev.reweave.look.report.DiffReport.Likeness;
import dev.reweave.tensor.Deviation;
import dev.reweave.tensor.Shape;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/** What differs, for people: both sides, a table of differences, one line that sums it up. */
final class DiffText {
  private final DiffReport report;

  DiffText(DiffReport report) {
    this.report = report;
  }

  List<String> lines(int most) {
    List<String> lines = new ArrayList<>();
    lines.add("first   " + side(report.first()));
    lines.add("second  " + side(report.second()));
    report.notes().forEach(note -> lines.add("note    " + note));
    List<String[]> rows = rows();
    if (!rows.isEmpty()) {
      Table table = new Table(2);
      table.row("tensor", "difference", "elements", "largest", "relative", "distance", "cosine");
      rows.stream().limit(most).forEach(table::row);
      lines.add("");
      lines.addAll(table.lines());
      if (rows.size() > most) {
        lines.add("and " + (rows.size() - most) + " more, which --all shows");
      }
      lines.add("");
    }
    lines.add(summary());
    return lines;
  }

  private static String side(DiffReport.Side side) {
    Checkpoint.Source source = side.source();
    StringBuilder text = new StringBuilder(side.path()).append(": ");
    text.append((source.framework() + " " + source.version()).strip());
    if (source.stage() >= 0) {
      text.append(", ZeRO-").append(source.stage());
    }
    text.append(source.tag().isEmpty() ? "" : ", tag " + source.tag());
    text.append(source.weights() == Weights.MASTER ? ", fp32 master weights" : "");
    return text.append(", ").append(plural(side.tensors(), "tensor")).toString();
  }

  private List<String[]> rows() {
    List<String[]> rows = new ArrayList<>();
    report.onlyInFirst().forEach(a -> rows.add(absent(a, "only in the first")));
    report.onlyInSecond().forEach(a -> rows.add(absent(a, "only in the second")));
    report.differing().forEach(row -> rows.add(row(row)));
    return rows;
  }

  private static String[] absent(DiffReport.Absent absent, String where) {
    String tied = absent.tiedTo().map(kept -> ", tied there to " + kept).orElse("");
    return new String[] {absent.name(), where + tied};
  }

  private static String[] row(DiffReport.Row row) {
    String name = String.join(" = ", row.names());
    if (!row.likeness().isCompared()) {
      return new String[] {name, difference(row)};
    }
    Deviation deviation = row.deviation();
    return new String[] {
      name,
      difference(row),
      String.format(Locale.ROOT, "%,d of %,d", deviation.unequal(), deviation.numbers()),
      number(deviation.absolute()),
      number(deviation.relative()),
      number(deviation.distance()),
      String.format(Locale.ROOT, "%.6f", deviation.cosine())
    };
  }

  private static String difference(DiffReport.Row row) {
    List<String> parts = new ArrayList<>();
    if (row.likeness() == Likeness.OTHER_SHAPE) {
      parts.add("shape " + row.first().shape() + " / " + row.second().shape());
    }
    if (row.first().dtype() != row.second().dtype()) {
      parts.add(row.first().dtype().torchName() + " / " + row.second().dtype().torchName());
    }
    switch (row.likeness()) {
      case OTHER_VALUES -> parts.add("values");
      case SAME_VALUES -> parts.add("signs of zeros, or NaNs");
      case SAME_IN_OTHER_TYPE -> parts.add("same values");
      case SAME_AFTER_CAST -> parts.add("same after a cast");
      case NOT_COMPARABLE -> parts.add("not comparable");
      case IDENTICAL, OTHER_SHAPE -> {}
    }
    Deviation deviation = row.deviation();
    add(parts, deviation.broken().nanInFirst(), "NaN in the first");
    add(parts, deviation.broken().nanInSecond(), "NaN in the second");
    add(parts, deviation.broken().infinite(), "infinite");
    return String.join(", ", parts);
  }

  private static void add(List<String> parts, long count, String what) {
    if (count > 0) {
      parts.add(String.format(Locale.ROOT, "%,d %s", count, what));
    }
  }

  String summary() {
    long differing = report.rows().stream().filter(report::differs).count();
    long elements = report.rows().stream().mapToLong(row -> row.deviation().numbers()).sum();
    List<String> parts = new ArrayList<>();
    if (report.isEqual()) {
      parts.add(
          String.format(
              Locale.ROOT,
              "equal: %s, %,d elements",
              plural(report.rows().size(), "tensor"),
              elements));
    } else {
      long unequal = report.rows().stream().mapToLong(row -> row.deviation().unequal()).sum();
      parts.add(
          String.format(
              Locale.ROOT,
              "different: %d of %s, %,d of %,d elements",
              differing,
              plural(report.rows().size(), "tensor"),
              unequal,
              elements));
    }
    add(parts, report.onlyInFirst().size(), "only in the first");
    add(parts, report.onlyInSecond().size(), "only in the second");
    parts.add(likenesses());
    report
        .farthest()
        .ifPresent(
            row ->
                parts.add(
                    "farthest apart: "
                        + number(row.deviation().absolute())
                        + " at "
                        + row.name()
                        + " "
                        + Arrays.toString(index(row))));
    report.criterion().tolerance().ifPresent(t -> parts.add("tolerance " + number(t)));
    return parts.stream().filter(part -> !part.isEmpty()).collect(Collectors.joining("; "));
  }

  private String likenesses() {
    Map<Likeness, Integer> counts = new TreeMap<>();
    report.rows().forEach(row -> counts.merge(row.likeness(), 1, Integer::sum));
    return counts.entrySet().stream()
        .map(e -> e.getValue() + " " + e.getKey().words())
        .collect(Collectors.joining(", "));
  }

  /** Where in the tensor the two numbers are that are the farthest apart. */
  static long[] index(DiffReport.Row row) {
    Shape shape = row.first().shape();
    long[] strides = shape.rowMajorStrides();
    long[] index = new long[shape.rank()];
    long rest = row.deviation().at();
    for (int d = 0; d < index.length; d++) {
      index[d] = rest / strides[d];
      rest %= strides[d];
    }
    return index;
  }

  private static String number(double number) {
    return number == 0 ? "0" : String.format(Locale.ROOT, "%.3g", number);
  }

  private static String plural(long count, String noun) {
    return String.format(Locale.ROOT, "%,d %s%s", count, noun, count == 1 ? "" : "s");
  }
}
