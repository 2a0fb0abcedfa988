package dev.reweave.testing;

import java.io.IOException;
import java.io.OutputStream;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;

/** The body of an answer on its way to the client, with the fault that befalls it. */
final class FaultyOutput extends OutputStream {
  /** Enough to be overtaken by others, few enough for a test to end. */
  private static final int MOST_PAUSES = 500;

  private final OutputStream out;
  private final long limit;
  private final int bytesPerWrite;
  private final long pauseNanos;
  private long written;
  private int pauses;

  private FaultyOutput(OutputStream out, long limit, int bytesPerWrite, long pauseNanos) {
    this.out = out;
    this.limit = limit;
    this.bytesPerWrite = bytesPerWrite;
    this.pauseNanos = pauseNanos;
  }

  /** A stream that harms what is written to it, if the fault is one of bodies. */
  static OutputStream of(Optional<Fault> fault, OutputStream out) {
    if (fault.isPresent() && fault.get() instanceof Fault.Cut cut) {
      return new FaultyOutput(out, cut.bytes(), Integer.MAX_VALUE, 0);
    }
    if (fault.isPresent() && fault.get() instanceof Fault.Slow slow) {
      return new FaultyOutput(out, Long.MAX_VALUE, slow.bytesPerWrite(), slow.pause().toNanos());
    }
    return out;
  }

  @Override
  public void write(int value) throws IOException {
    write(new byte[] {(byte) value}, 0, 1);
  }

  @Override
  public void write(byte[] bytes, int offset, int length) throws IOException {
    Objects.checkFromIndexSize(offset, length, bytes.length);
    for (int done = 0; done < length; ) {
      int most = pauses < MOST_PAUSES ? bytesPerWrite : Integer.MAX_VALUE;
      int count = (int) Math.min(Math.min(most, length - done), limit - written);
      out.write(bytes, offset + done, count);
      done += count;
      written += count;
      if (done < length && written == limit) {
        throw new IOException("cut after " + written + " bytes");
      }
      if (pauseNanos > 0 && pauses < MOST_PAUSES) {
        pauses++;
        LockSupport.parkNanos(pauseNanos);
      }
    }
  }
}
