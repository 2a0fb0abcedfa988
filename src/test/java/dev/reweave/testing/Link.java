package dev.reweave.testing;

import java.io.FilterInputStream;
import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/**
 * How far away a {@link FaultProxy} lets its server be: a wait before the first byte of each
 * answer, and a rate that no connection exceeds in either direction.
 */
public final class Link {
  /** What a connection may send at once before its rate holds it back. */
  static final int BURST_BYTES = 64 << 10;

  private final long latencyNanos;
  private final long bytesPerSecond;
  private final Time time;

  /** Time as the link sees it: tests have one that passes only while somebody waits. */
  interface Time {
    /** Nanoseconds since some moment. */
    long now();

    /** Comes back when at least so many nanoseconds have passed. */
    void pass(long nanos) throws InterruptedException;
  }

  private static final Time REAL =
      new Time() {
        @Override
        public long now() {
          return System.nanoTime();
        }

        @Override
        public void pass(long nanos) throws InterruptedException {
          TimeUnit.NANOSECONDS.sleep(nanos);
        }
      };

  /** The machine's own loopback. */
  public static final Link NEAR = new Link(Duration.ZERO, Long.MAX_VALUE, REAL);

  Link(Duration latency, long bytesPerSecond, Time time) {
    if (latency.isNegative() || bytesPerSecond <= 0) {
      throw new IllegalArgumentException(bytesPerSecond + " bytes per second after " + latency);
    }
    this.latencyNanos = latency.toNanos();
    this.bytesPerSecond = bytesPerSecond;
    this.time = time;
  }

  /** A link to a far server, in real time. */
  public static Link far(Duration latency, long bytesPerSecond) {
    return new Link(latency, bytesPerSecond, REAL);
  }

  /** Waits as long as an answer is on its way. */
  void delayAnswer() throws IOException {
    pause(latencyNanos);
  }

  /** What one connection takes in, at the link's rate. */
  InputStream slow(InputStream in) {
    return isUnlimited() ? in : new SlowInput(in);
  }

  /** What one connection gives out, at the link's rate. */
  OutputStream slow(OutputStream out) {
    return isUnlimited() ? out : new SlowOutput(out);
  }

  private boolean isUnlimited() {
    return bytesPerSecond == Long.MAX_VALUE;
  }

  private void pause(long nanos) throws IOException {
    if (nanos <= 0) {
      return;
    }
    try {
      time.pass(nanos);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("interrupted while a slow link carried bytes");
    }
  }

  /** A token bucket, full at first: of one direction of one connection. */
  private final class Bucket {
    /** The moment at which all that was taken so far is paid for. */
    private long paid = time.now() - nanos(BURST_BYTES);

    void take(int bytes) throws IOException {
      long now = time.now();
      paid = Math.max(paid, now - nanos(BURST_BYTES)) + nanos(bytes);
      pause(paid - now);
    }

    private long nanos(int bytes) {
      return (long) (bytes * 1e9 / bytesPerSecond);
    }
  }

  private final class SlowInput extends FilterInputStream {
    private final Bucket bucket = new Bucket();

    SlowInput(InputStream in) {
      super(in);
    }

    @Override
    public int read() throws IOException {
      int value = in.read();
      if (value >= 0) {
        bucket.take(1);
      }
      return value;
    }

    @Override
    public int read(byte[] bytes, int offset, int length) throws IOException {
      int count = in.read(bytes, offset, Math.min(length, BURST_BYTES));
      if (count > 0) {
        bucket.take(count);
      }
      return count;
    }
  }

  private final class SlowOutput extends FilterOutputStream {
    private final Bucket bucket = new Bucket();

    SlowOutput(OutputStream out) {
      super(out);
    }

    @Override
    public void write(int value) throws IOException {
      bucket.take(1);
      out.write(value);
    }

    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
      for (int done = 0; done < length; ) {
        int count = Math.min(length - done, BURST_BYTES);
        bucket.take(count);
        out.write(bytes, offset + done, count);
        done += count;
      }
    }
  }
}
