package dev.reweave.bench.table;

import dev.reweave.bench.ProcessRun.Taken;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;

/**
 * What a large input takes more than a small one.
 *
 * @param small what the small one took, as a whole
 * @param gigabytes how much larger the other is
 */
record Further(Taken small, Taken large, double gigabytes) {
  /** Is done to one input. */
  @FunctionalInterface
  interface Work<I> {
    Taken on(I input) throws IOException, InterruptedException;
  }

  /**
   * Does the same to both.
   *
   * @param gigabytes how much more is read of the large one
   */
  static <I> Further between(I small, I large, double gigabytes, Work<I> work)
      throws IOException, InterruptedException {
    return new Further(work.on(small), work.on(large), gigabytes);
  }

  double secondsPerGigabyte() {
    return (large.seconds() - small.seconds()) / gigabytes;
  }

  double coreSecondsPerGigabyte() {
    return (large.coreSeconds() - small.coreSeconds()) / gigabytes;
  }

  /** Of all sides: of each further GB, and of the small one as a whole. */
  static List<Figure> figures(Samples<Further> samples, Collection<String> sides) {
    List<Figure> figures = new ArrayList<>();
    for (String side : sides) {
      figures.add(samples.figure(side, "a GB", "s", Further::secondsPerGigabyte));
      figures.add(samples.figure(side, "core-seconds a GB", "s", Further::coreSecondsPerGigabyte));
      figures.add(samples.figure(side, "the small one", "s", f -> f.small().seconds()));
    }
    return figures;
  }
}
