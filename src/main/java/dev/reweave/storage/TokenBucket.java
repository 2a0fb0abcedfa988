package dev.reweave.storage;

import java.io.InterruptedIOException;
import java.io.Serializable;

/**
 * Spreads the bytes that one task takes over time. A request of any size is let through as soon as
 * all earlier ones are paid for, and must be paid for by the next one: so in any {@code t} seconds
 * at most {@code rate * (t + 0.1)} bytes and one request are taken, and the average is the rate.
 */
public final class TokenBucket {
  /** Where the time comes from. */
  public interface Clock extends Serializable {
    /** The clock of this machine. */
    Clock SYSTEM =
        new Clock() {
          private static final long serialVersionUID = 1L;

          @Override
          public long nanos() {
            return System.nanoTime();
          }

          @Override
          public void sleep(long nanos) throws InterruptedException {
            Thread.sleep(nanos / NANOS_PER_MILLI, (int) (nanos % NANOS_PER_MILLI));
          }
        };

    /** Nanoseconds since some moment. */
    long nanos();

    /** Waits about so long. */
    void sleep(long nanos) throws InterruptedException;
  }

  /** A rate that lets everything through. */
  public static final long UNLIMITED = Long.MAX_VALUE;

  /**
   * Time that was not used and still counts: a short pause costs nothing, a long one earns little.
   */
  public static final long MOST_SAVED_NANOS = 100_000_000;

  private static final long NANOS_PER_MILLI = 1_000_000;
  private static final double NANOS_PER_SECOND = 1e9;

  private final long bytesPerSecond;
  private final Clock clock;
  private final long start;
  private long paid;

  TokenBucket(long bytesPerSecond, Clock clock) {
    this.bytesPerSecond = bytesPerSecond;
    this.clock = clock;
    this.start = clock.nanos();
  }

  /** Waits until the bytes may be read. */
  public void take(long bytes) throws InterruptedIOException {
    if (bytesPerSecond == UNLIMITED) {
      return;
    }
    long now = clock.nanos() - start;
    paid = Math.max(paid, now - MOST_SAVED_NANOS);
    while (paid > now) {
      try {
        clock.sleep(paid - now);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new InterruptedIOException("interrupted");
      }
      now = clock.nanos() - start;
    }
    paid += (long) Math.ceil(bytes / (double) bytesPerSecond * NANOS_PER_SECOND);
  }
}
