package dev.reweave.tensor;

import java.util.Objects;
import java.util.Optional;

/**
 * A tensor into which an adapter is merged: each element is a stored one plus one of a product of
 * thin matrices, as F32.
 */
public final class MergedLayout implements Layout {
  private static final long serialVersionUID = 1L;

  private final Layout base;
  private final LowRank product;

  /**
   * @param product of as many elements
   * @throws IllegalArgumentException if they do not go together
   */
  public MergedLayout(Layout base, LowRank product) {
    if (!Numbers.areFloats(base.dtype()) || base.elements() != product.elements()) {
      throw new IllegalArgumentException(
          product.elements() + " sums of " + base.elements() + " " + base.dtype());
    }
    this.base = base;
    this.product = product;
  }

  @Override
  public long elements() {
    return base.elements();
  }

  @Override
  public DType dtype() {
    return DType.F32;
  }

  @Override
  public DType storedType() {
    return base.storedType();
  }

  @Override
  public Optional<DType> summedOn() {
    return Optional.of(base.summedOn().orElse(base.dtype()));
  }

  @Override
  public void runs(long from, long to, RunConsumer consumer) {
    Objects.checkFromToIndex(from, to, elements());
    if (from < to) {
      consumer.merged(base, product, from, to);
    }
  }

  @Override
  public void runsIn(int file, RunConsumer consumer) {
    base.runsIn(file, consumer);
    product.runsIn(file, consumer::beside);
  }

  @Override
  public long granularity() {
    // Of n elements, the base has n / granularity runs, and the rows beside them as many again.
    return Math.max(1, Math.min(base.granularity(), product.granularity()) / 2);
  }

  @Override
  public int width() {
    return base.width();
  }

  @Override
  public int besides() {
    return Math.addExact(base.besides(), product.besides());
  }

  @Override
  public boolean isComputed() {
    return true;
  }

  @Override
  public long storedElements() {
    return base.storedElements();
  }

  @Override
  public long storedBytes() {
    return base.storedBytes() + product.storedBytes();
  }
}
