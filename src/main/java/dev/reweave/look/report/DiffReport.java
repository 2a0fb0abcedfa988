package dev.reweave.look.report;

import dev.reweave.checkpoint.Checkpoint;
import dev.reweave.tensor.Comparer;
import dev.reweave.tensor.Deviation;
import dev.reweave.tensor.TensorSpec;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/**
 * What is not the same in two sets of weights.
 *
 * @param onlyInFirst names that the second has not, tied ones too
 * @param onlyInSecond names that the first has not
 * @param rows all tensors that both have under one name
 * @param bytesRead bytes of weights that were fetched of both sides
 * @param notes what the user should know
 */
public record DiffReport(
    Side first,
    Side second,
    DiffCriterion criterion,
    List<Absent> onlyInFirst,
    List<Absent> onlyInSecond,
    List<Row> rows,
    long bytesRead,
    List<String> notes) {

  public DiffReport {
    onlyInFirst = List.copyOf(onlyInFirst);
    onlyInSecond = List.copyOf(onlyInSecond);
    rows = List.copyOf(rows);
    notes = List.copyOf(notes);
  }

  /**
   * One set of weights.
   *
   * @param tensors how many it has that were to be compared
   */
  public record Side(String path, Checkpoint.Source source, int tensors) {}

  /**
   * A name that one side has.
   *
   * @param tiedTo the name of the tensor that it means there; empty if that is its own
   */
  public record Absent(String name, Optional<String> tiedTo) {}

  /** What two tensors of one name are to each other. */
  public enum Likeness {
    /** Of one type, with the same bits. */
    IDENTICAL("identical"),
    /** Of one type, with zeros of other signs or other NaNs. */
    SAME_VALUES("same values, other bits"),
    /** Of two types, with the same values. */
    SAME_IN_OTHER_TYPE("same values, other type"),
    /** Of two types, with the same values in the narrower one. */
    SAME_AFTER_CAST("same after a cast"),
    /** With other values. */
    OTHER_VALUES("other values"),
    /** Of two shapes: no values are compared. */
    OTHER_SHAPE("other shape"),
    /** A complex one and another. */
    NOT_COMPARABLE("not comparable");

    private final String words;

    Likeness(String words) {
      this.words = words;
    }

    /** For people and programs. */
    public String words() {
      return words;
    }

    boolean isCompared() {
      return this != OTHER_SHAPE && this != NOT_COMPARABLE;
    }
  }

  /**
   * A tensor that both sides have.
   *
   * @param names that both have for it: several if it is tied
   * @param first as the first side has it
   * @param deviation {@link Deviation#NONE} if its values were not compared
   */
  public record Row(List<String> names, TensorSpec first, TensorSpec second, Deviation deviation) {
    public Row {
      names = List.copyOf(names);
    }

    /** The name to call it by. */
    public String name() {
      return names.get(0);
    }

    /** What the two are to each other. */
    public Likeness likeness() {
      boolean oneType = first.dtype() == second.dtype();
      if (!first.shape().equals(second.shape())) {
        return Likeness.OTHER_SHAPE;
      }
      if (!Comparer.compares(first.dtype(), second.dtype())) {
        return Likeness.NOT_COMPARABLE;
      }
      if (oneType && deviation.unequal() == 0) {
        return Likeness.IDENTICAL;
      }
      if (deviation.differing() == 0) {
        return oneType ? Likeness.SAME_VALUES : Likeness.SAME_IN_OTHER_TYPE;
      }
      return deviation.unequal() == 0 ? Likeness.SAME_AFTER_CAST : Likeness.OTHER_VALUES;
    }
  }

  /** Whether a tensor that both have differs. */
  public boolean differs(Row row) {
    return criterion.differ(row.likeness(), row.deviation());
  }

  /** Whether nothing differs. */
  public boolean isEqual() {
    return onlyInFirst.isEmpty()
        && onlyInSecond.isEmpty()
        && rows.stream().noneMatch(this::differs);
  }

  /** The tensors that differ, the most different ones first. */
  public List<Row> differing() {
    return rows.stream()
        .filter(this::differs)
        .sorted(
            Comparator.comparing((Row row) -> row.likeness().isCompared())
                .thenComparing(row -> row.deviation().broken().all() == 0)
                .thenComparing(
                    Comparator.comparingDouble((Row row) -> row.deviation().distance()).reversed())
                .thenComparing(
                    Comparator.comparingDouble((Row row) -> row.deviation().relative()).reversed())
                .thenComparing(Row::name))
        .toList();
  }

  /** The tensor with the two numbers that are the farthest apart, if any are. */
  public Optional<Row> farthest() {
    return rows.stream()
        .filter(row -> row.deviation().absolute() > 0)
        .max(
            Comparator.comparingDouble((Row row) -> row.deviation().absolute())
                .thenComparing(Row::name, Comparator.reverseOrder()));
  }

  /**
   * For people.
   *
   * @param most rows of the table; those beyond are counted
   */
  public List<String> lines(int most) {
    return new DiffText(this).lines(most);
  }

  /** The last of the lines. */
  public String summary() {
    return new DiffText(this).summary();
  }

  /** One JSON document. */
  public String toJson() {
    return DiffJson.of(this);
  }
}
