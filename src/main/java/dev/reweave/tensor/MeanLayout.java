package dev.reweave.tensor;

import java.util.List;
import java.util.Objects;

/**
 * A tensor of which a run has saved several steps: each element is the mean of the same element of
 * all of them. Numbers of 32 bits and fewer have a mean of 32 bits, see {@link StepMeans}.
 */
public final class MeanLayout implements Layout {
  private static final long serialVersionUID = 1L;

  private final List<Layout> steps;

  /**
   * @param steps in the order in which they are added up
   * @throws IllegalArgumentException if there is none, they differ in type or length, or have no
   *     mean
   */
  public MeanLayout(List<Layout> steps) {
    if (steps.isEmpty()) {
      throw new IllegalArgumentException("no steps");
    }
    this.steps = List.copyOf(steps);
    for (Layout step : steps) {
      if (step.dtype() != stepType() || step.elements() != elements()) {
        throw new IllegalArgumentException("steps of different types or lengths");
      }
    }
    if (!stepType().isCastable()) {
      throw new IllegalArgumentException("no mean of " + stepType() + " elements");
    }
  }

  private DType stepType() {
    return steps.get(0).dtype();
  }

  /** The same tensor in each step. */
  public List<Layout> steps() {
    return steps;
  }

  @Override
  public long elements() {
    return steps.get(0).elements();
  }

  @Override
  public DType dtype() {
    return StepMeans.typeOf(stepType());
  }

  @Override
  public DType storedType() {
    return steps.get(0).storedType();
  }

  @Override
  public void runs(long from, long to, RunConsumer consumer) {
    Objects.checkFromToIndex(from, to, elements());
    if (from < to) {
      consumer.averaged(steps, from, to);
    }
  }

  @Override
  public void runsIn(int file, RunConsumer consumer) {
    steps.forEach(step -> step.runsIn(file, consumer));
  }

  @Override
  public long granularity() {
    long least = steps.stream().mapToLong(Layout::granularity).min().orElseThrow();
    return Math.max(1, Math.min(least, elements()) / width());
  }

  /** All steps are kept beside the mean. */
  @Override
  public int width() {
    return 1 + steps.stream().mapToInt(Layout::width).sum();
  }

  @Override
  public boolean isComputed() {
    return true;
  }

  @Override
  public long storedElements() {
    return steps.stream().mapToLong(Layout::storedElements).sum();
  }
}
