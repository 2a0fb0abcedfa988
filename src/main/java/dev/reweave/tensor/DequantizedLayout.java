package dev.reweave.tensor;

import java.util.Objects;

/**
 * A quantized tensor: each element is a stored value of 8 bits, times the scale of its block, as
 * F32. So do {@code Fp8Dequantize} of transformers and {@code weight_dequant} of DeepSeek-V3.
 */
public final class DequantizedLayout implements Layout {
  private static final long serialVersionUID = 1L;

  /** Scales that may be read beside a few elements: fewer are not worth a call of their own. */
  private static final int FEW = 64;

  private final Layout values;
  private final BlockScales scales;

  /**
   * @param values of 8 bits
   * @param scales of as many elements
   * @throws IllegalArgumentException if they do not go together
   */
  public DequantizedLayout(Layout values, BlockScales scales) {
    if (!values.dtype().isFloat8() || values.elements() != scales.elements()) {
      throw new IllegalArgumentException(
          scales.elements() + " scaled elements of " + values.elements() + " " + values.dtype());
    }
    this.values = values;
    this.scales = scales;
  }

  @Override
  public long elements() {
    return values.elements();
  }

  @Override
  public DType dtype() {
    return DType.F32;
  }

  @Override
  public DType storedType() {
    return values.storedType();
  }

  @Override
  public void runs(long from, long to, RunConsumer consumer) {
    Objects.checkFromToIndex(from, to, elements());
    if (from == to) {
      return;
    }
    BlockScales.Range needed = scales.range(from, to);
    if (needed.to() - needed.from() > FEW + 2 * (to - from)) {
      long middle = scales.middle(from, to);
      runs(from, middle, consumer);
      runs(middle, to, consumer);
    } else {
      consumer.scaled(values, scales, from, to);
    }
  }

  @Override
  public void runsIn(int file, RunConsumer consumer) {
    values.runsIn(file, consumer);
    scales.layout().runsIn(file, consumer::beside);
  }

  @Override
  public long granularity() {
    return values.granularity();
  }

  @Override
  public int width() {
    return values.width();
  }

  @Override
  public boolean isComputed() {
    return true;
  }

  @Override
  public long storedElements() {
    return values.storedElements();
  }

  @Override
  public long storedBytes() {
    return values.storedBytes() + scales.layout().storedBytes();
  }
}
