package dev.reweave.tensor;

import java.util.Objects;
import java.util.Optional;

/**
 * A part of a tensor along one dimension, as {@code torch.narrow} gives it: of each row of a base
 * layout, the same elements. A row is what lies under one index of all dimensions before the
 * narrowed one.
 */
public final class NarrowedLayout implements Layout {
  private static final long serialVersionUID = 1L;

  private final Layout base;
  private final long outer;
  private final long baseRow;
  private final long from;
  private final long length;

  /**
   * @param outer number of rows: the product of the dimensions before the narrowed one
   * @param baseRow elements of a row of the base
   * @param from first element of each row that is kept
   * @param length elements of each row that are kept
   * @throws IllegalArgumentException if the base does not have so many rows of this length
   * @throws IndexOutOfBoundsException if what is kept leaves the row
   */
  public NarrowedLayout(Layout base, long outer, long baseRow, long from, long length) {
    Objects.checkFromIndexSize(from, length, baseRow);
    if (outer < 0 || outer * baseRow != base.elements() || overflows(outer, baseRow)) {
      throw new IllegalArgumentException(
          outer + " rows of " + baseRow + " in a layout of " + base.elements() + " elements");
    }
    this.base = base;
    this.outer = outer;
    this.baseRow = baseRow;
    this.from = from;
    this.length = length;
  }

  private static boolean overflows(long a, long b) {
    return Math.multiplyHigh(a, b) != 0;
  }

  @Override
  public long elements() {
    return outer * length;
  }

  @Override
  public DType dtype() {
    return base.dtype();
  }

  @Override
  public void runs(long from, long to, RunConsumer consumer) {
    Objects.checkFromToIndex(from, to, elements());
    long at = from;
    while (at < to) {
      long within = at % length;
      long count = Math.min(length - within, to - at);
      long start = at / length * baseRow + this.from + within;
      base.runs(start, start + count, consumer);
      at += count;
    }
  }

  @Override
  public void runsIn(int file, RunConsumer consumer) {
    // A base knows without expanding its runs that none of them lies in a file.
    if (RunsOfFile.touch(base, file)) {
      Layout.super.runsIn(file, consumer);
    }
  }

  @Override
  public long granularity() {
    return outer <= 1
        ? Math.max(1, Math.min(base.granularity(), length))
        : granularityOfRows(base, length);
  }

  @Override
  public int width() {
    return base.width();
  }

  @Override
  public int besides() {
    return base.besides();
  }

  @Override
  public Optional<DType> summedOn() {
    return base.summedOn();
  }

  @Override
  public DType storedType() {
    return base.storedType();
  }

  @Override
  public boolean isComputed() {
    return base.isComputed();
  }

  @Override
  public long storedElements() {
    return elements() * width();
  }

  /**
   * What {@link #granularity()} is of a layout that takes rows of {@code row} elements from a base.
   *
   * <p>A row that starts anywhere in the base has a run for each {@code base.granularity()}
   * elements, and two more at its ends: three times as many as of either length alone are enough
   * for both. A base of one run gives one run per row.
   */
  static long granularityOfRows(Layout base, long row) {
    long whole = base.granularity();
    return Math.max(1, whole >= base.elements() ? row : Math.min(whole, row) / 3);
  }
}
