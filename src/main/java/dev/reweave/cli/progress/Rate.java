package dev.reweave.cli.progress;

import dev.reweave.common.Progress;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.OptionalDouble;

/** How fast a step goes on, by what was done in the last seconds. */
final class Rate {
  private static final double WINDOW_SECONDS = 20;

  private record Sample(double seconds, long done) {}

  private final Deque<Sample> samples = new ArrayDeque<>();
  private int step = -1;
  private double began;

  /**
   * Takes what is known at a moment.
   *
   * @param now in seconds, from any beginning
   */
  void take(Progress.State state, double now) {
    if (state.number() != step) {
      samples.clear();
      step = state.number();
      began = now;
    }
    samples.addLast(new Sample(now, state.amount().done()));
    while (samples.size() > 2 && samples.getFirst().seconds() < now - WINDOW_SECONDS) {
      samples.removeFirst();
    }
  }

  /** Units in a second; empty as long as nothing came, or nothing comes any more. */
  OptionalDouble perSecond() {
    if (samples.size() < 2) {
      return OptionalDouble.empty();
    }
    double seconds = samples.getLast().seconds() - samples.getFirst().seconds();
    long done = samples.getLast().done() - samples.getFirst().done();
    return seconds > 0 && done > 0 ? OptionalDouble.of(done / seconds) : OptionalDouble.empty();
  }

  /** Seconds until all is done, if it goes on so. */
  OptionalDouble secondsLeft(Progress.Amount amount) {
    OptionalDouble rate = perSecond();
    return rate.isPresent() && amount.total() > 0
        ? OptionalDouble.of((amount.total() - amount.done()) / rate.getAsDouble())
        : OptionalDouble.empty();
  }

  /** Seconds since the step was first seen. */
  double seconds() {
    return samples.isEmpty() ? 0 : samples.getLast().seconds() - began;
  }
}
