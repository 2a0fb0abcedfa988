package dev.reweave.testing;

import java.io.FilterInputStream;
import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.concurrent.atomic.AtomicLong;

/** Counts the bytes that clients send and fetch. */
final class Traffic {
  private final AtomicLong sent = new AtomicLong();
  private final AtomicLong fetched = new AtomicLong();

  long sent() {
    return sent.get();
  }

  long fetched() {
    return fetched.get();
  }

  void clear() {
    sent.set(0);
    fetched.set(0);
  }

  /** What a client sends. */
  InputStream counted(InputStream in) {
    return new FilterInputStream(in) {
      @Override
      public int read() throws IOException {
        int value = in.read();
        sent.addAndGet(value < 0 ? 0 : 1);
        return value;
      }

      @Override
      public int read(byte[] bytes, int offset, int length) throws IOException {
        int count = in.read(bytes, offset, length);
        sent.addAndGet(Math.max(0, count));
        return count;
      }
    };
  }

  /** What a client fetches. */
  OutputStream counted(OutputStream out) {
    return new FilterOutputStream(out) {
      @Override
      public void write(int value) throws IOException {
        out.write(value);
        fetched.incrementAndGet();
      }

      @Override
      public void write(byte[] bytes, int offset, int length) throws IOException {
        out.write(bytes, offset, length);
        fetched.addAndGet(length);
      }
    };
  }
}
