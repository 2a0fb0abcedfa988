package dev.reweave.testing;

import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.util.Optional;

/** The body of a request on its way to the store, of which one bit is flipped. */
final class FlippedOutput extends FilterOutputStream {
  private long left;

  private FlippedOutput(OutputStream out, long position) {
    super(out);
    this.left = position;
  }

  /** A stream that harms what is written to it, if the fault is such a one. */
  static OutputStream of(Optional<Fault> fault, OutputStream out) {
    return fault.isPresent() && fault.get() instanceof Fault.Flip flip
        ? new FlippedOutput(out, flip.position())
        : out;
  }

  @Override
  public void write(int value) throws IOException {
    out.write(left-- == 0 ? value ^ 1 : value);
  }

  @Override
  public void write(byte[] bytes, int offset, int length) throws IOException {
    if (left < 0 || left >= length) {
      out.write(bytes, offset, length);
      left -= length;
      return;
    }
    for (int i = offset; i < offset + length; i++) {
      write(bytes[i]);
    }
  }
}
