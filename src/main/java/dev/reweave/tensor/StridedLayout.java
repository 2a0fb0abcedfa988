package dev.reweave.tensor;

import java.util.Objects;
import java.util.Optional;

/**
 * A view of a base layout, as {@code torch.as_strided} makes it of a contiguous tensor: element
 * {@code i, j, …} is element {@code offset + i * strides[0] + j * strides[1] + …} of the base.
 */
public final class StridedLayout implements Layout {
  private static final long serialVersionUID = 1L;

  private final Layout base;
  private final Shape shape;
  private final long offset;
  private final long[] strides;
  private final int outer;
  private final long run;

  /**
   * @param view of the elements of the base
   * @throws IllegalArgumentException if the view leaves the base
   */
  public StridedLayout(Layout base, Strided view) {
    view.requireWithin(base.elements());
    this.base = base;
    this.shape = view.shape();
    this.offset = view.offset();
    this.strides = view.strides().stream().mapToLong(Long::longValue).toArray();
    long length = 1;
    int inner = shape.rank();
    while (inner > 0 && (shape.dim(inner - 1) == 1 || strides[inner - 1] == length)) {
      length *= shape.dim(inner - 1);
      inner--;
    }
    this.outer = inner;
    this.run = Math.max(1, length);
  }

  @Override
  public long elements() {
    return shape.elements();
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
      long within = at % run;
      long count = Math.min(run - within, to - at);
      long start = startOf(at / run) + within;
      base.runs(start, start + count, consumer);
      at += count;
    }
  }

  /** Where the {@code index}th contiguous part starts in the base. */
  private long startOf(long index) {
    long rest = index;
    long start = offset;
    for (int d = outer - 1; d >= 0; d--) {
      start += rest % shape.dim(d) * strides[d];
      rest /= shape.dim(d);
    }
    return start;
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
    return outer == 0
        ? Math.max(1, Math.min(base.granularity(), elements()))
        : NarrowedLayout.granularityOfRows(base, run);
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
}
