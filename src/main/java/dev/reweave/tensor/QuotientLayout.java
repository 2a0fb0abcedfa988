package dev.reweave.tensor;

import java.util.Objects;

/**
 * A tensor that is kept multiplied by a number: each element is the stored one, divided by it. Row
 * parallel ranks may keep a bias so, since what they have is added up.
 */
public final class QuotientLayout implements Layout {
  private static final long serialVersionUID = 1L;

  private final Layout stored;
  private final double divisor;

  /**
   * @param divisor what the elements were multiplied by
   * @throws IllegalArgumentException if elements of this type cannot be divided by it
   */
  public QuotientLayout(Layout stored, double divisor) {
    if (!stored.dtype().isCastable()) {
      throw new IllegalArgumentException("no quotient of " + stored.dtype() + " elements");
    }
    Quotients.requireDivisor(divisor);
    this.stored = stored;
    this.divisor = divisor;
  }

  @Override
  public long elements() {
    return stored.elements();
  }

  @Override
  public DType dtype() {
    return stored.dtype();
  }

  @Override
  public void runs(long from, long to, RunConsumer consumer) {
    Objects.checkFromToIndex(from, to, elements());
    if (from < to) {
      consumer.divided(stored, divisor, from, to);
    }
  }

  @Override
  public void runsIn(int file, RunConsumer consumer) {
    stored.runsIn(file, consumer);
  }

  @Override
  public long granularity() {
    return stored.granularity();
  }

  @Override
  public int width() {
    return stored.width();
  }

  @Override
  public DType storedType() {
    return stored.storedType();
  }

  @Override
  public boolean isComputed() {
    return true;
  }

  @Override
  public long storedElements() {
    return stored.storedElements();
  }
}
