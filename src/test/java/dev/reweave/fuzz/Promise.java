package dev.reweave.fuzz;

import dev.reweave.common.ReweaveException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;

/** What every reader promises: whatever the input is, it is read or refused, and soon. */
final class Promise {
  private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();
  private static final long MOST_NANOS = 1_000_000_000;

  /** Reads an input; can be repeated. */
  @FunctionalInterface
  interface Reading {
    void run() throws IOException;
  }

  private Promise() {}

  /** Lets through all that is thrown but a refusal, and throws where the reading takes too long. */
  static void check(Reading reading) {
    long start = System.nanoTime();
    readOrRefuse(reading);
    if (System.nanoTime() - start > MOST_NANOS && processorNanos(reading) > MOST_NANOS) {
      throw new AssertionError("the input takes more than a second to read");
    }
  }

  /** The time of this thread alone, as a busy machine is no finding. */
  private static long processorNanos(Reading reading) {
    long start = THREADS.getCurrentThreadCpuTime();
    readOrRefuse(reading);
    return THREADS.getCurrentThreadCpuTime() - start;
  }

  private static void readOrRefuse(Reading reading) {
    try {
      reading.run();
    } catch (ReweaveException e) {
      if (e.problem().isBlank() || e.place().isBlank() || e.remedy().isBlank()) {
        throw new AssertionError("a refusal that explains nothing", e);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e); // all is in memory
    }
  }
}
