package dev.reweave.storage;

import java.io.InputStream;
import java.io.InterruptedIOException;
import java.util.Objects;

/** The bytes of a piece, to be sent as often as it takes, and only until it is given up. */
final class PieceBody {
  private final byte[] data;
  private final int length;
  private volatile boolean givenUp;

  PieceBody(byte[] data, int length) {
    this.data = data;
    this.length = length;
  }

  byte[] data() {
    return data;
  }

  int length() {
    return length;
  }

  /** Ends what sends it, which would else go on for as long as the link takes. */
  void giveUp() {
    givenUp = true;
  }

  /** Its bytes from the first on, also after {@code reset()}. */
  InputStream stream() {
    return new Bytes();
  }

  private final class Bytes extends InputStream {
    private int at;
    private int mark;

    private void requireWanted() throws InterruptedIOException {
      if (givenUp) {
        throw new InterruptedIOException("the part is given up");
      }
    }

    @Override
    public int read() throws InterruptedIOException {
      requireWanted();
      return at == length ? -1 : data[at++] & 0xff;
    }

    @Override
    public int read(byte[] into, int offset, int most) throws InterruptedIOException {
      Objects.checkFromIndexSize(offset, most, into.length);
      requireWanted();
      if (most == 0) {
        return 0;
      }
      int count = Math.min(most, length - at);
      System.arraycopy(data, at, into, offset, count);
      at += count;
      return count == 0 ? -1 : count;
    }

    @Override
    public long skip(long most) {
      int count = (int) Math.max(0, Math.min(most, length - at));
      at += count;
      return count;
    }

    @Override
    public int available() {
      return length - at;
    }

    @Override
    public boolean markSupported() {
      return true;
    }

    @Override
    public void mark(int limit) {
      mark = at;
    }

    @Override
    public void reset() {
      at = mark;
    }
  }
}
