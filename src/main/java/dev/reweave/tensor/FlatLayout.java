package dev.reweave.tensor;

import java.util.Objects;

/** Consecutive elements of a flat buffer: how ZeRO-1 and 2 keep a parameter. */
public final class FlatLayout implements Layout {
  private static final long serialVersionUID = 1L;

  private final FlatBuffer buffer;
  private final long start;
  private final long elements;

  /**
   * @param start first element in the buffer
   * @param elements length
   * @throws IndexOutOfBoundsException if they leave the buffer
   */
  public FlatLayout(FlatBuffer buffer, long start, long elements) {
    Objects.checkFromIndexSize(start, elements, buffer.elements());
    this.buffer = buffer;
    this.start = start;
    this.elements = elements;
  }

  @Override
  public long elements() {
    return elements;
  }

  @Override
  public DType dtype() {
    return buffer.dtype();
  }

  @Override
  public void runs(long from, long to, RunConsumer consumer) {
    Objects.checkFromToIndex(from, to, elements);
    buffer.runs(start + from, start + to, consumer);
  }

  @Override
  public void runsIn(int file, RunConsumer consumer) {
    if (buffer.touches(file)) {
      Layout.super.runsIn(file, consumer);
    }
  }

  @Override
  public long granularity() {
    return Math.max(1, elements);
  }
}
