package dev.reweave.format.pytorch;

import dev.reweave.storage.MetadataLimit;
import dev.reweave.storage.RandomAccess;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;

/**
 * The bytes of one pickle, or of several one behind the other, read forwards. A length is compared
 * with the bytes left before anything is allocated.
 */
final class PickleInput {
  private static final int BUFFER_BYTES = 1 << 16;

  @FunctionalInterface
  private interface Source {
    void read(long position, byte[] buffer, int offset, int length) throws IOException;
  }

  private final String place;
  private final Source source;
  private final long end;
  private final MetadataLimit allowed;
  private final byte[] buffer;
  private long base;
  private int at;
  private int limit;

  private PickleInput(
      String place, Source source, byte[] buffer, int limit, long end, MetadataLimit allowed) {
    this.place = place;
    this.source = source;
    this.buffer = buffer;
    this.limit = limit;
    this.end = end;
    this.allowed = allowed;
  }

  /** Reads a pickle that is in memory; {@code place} names it in messages. */
  static PickleInput of(byte[] pickle, String place) {
    return new PickleInput(
        place,
        (p, b, o, n) -> {},
        pickle,
        pickle.length,
        pickle.length,
        new MetadataLimit(Long.MAX_VALUE));
  }

  /** Reads pickles from the start of a file, whose end is not known. */
  static PickleInput of(RandomAccess access) {
    long end = access.file().length();
    byte[] buffer = new byte[(int) Math.min(BUFFER_BYTES, end)];
    return new PickleInput(access.file().uri(), access::readFully, buffer, 0, end, access.limit());
  }

  /** The file, and what of it is read. */
  String place() {
    return place;
  }

  /** Bytes read so far. */
  long position() {
    return base + at;
  }

  int u1() throws IOException {
    need(1);
    return buffer[at++] & 0xff;
  }

  /** A little-endian number of {@code n <= 8} bytes; unsigned unless {@code n} is 8. */
  long littleEndian(int n) throws IOException {
    need(n);
    long value = 0;
    for (int i = n - 1; i >= 0; i--) {
      value = value << 8 | (buffer[at + i] & 0xff);
    }
    at += n;
    return value;
  }

  double bigEndianDouble() throws IOException {
    return Double.longBitsToDouble(Long.reverseBytes(littleEndian(8)));
  }

  byte[] bytes(long length) throws IOException {
    byte[] bytes = new byte[checkLength(length)];
    int ready = Math.min(bytes.length, limit - at);
    System.arraycopy(buffer, at, bytes, 0, ready);
    at += ready;
    if (ready < bytes.length) {
      source.read(position(), bytes, ready, bytes.length - ready);
      base = position() + bytes.length - ready;
      at = 0;
      limit = 0;
    }
    return bytes;
  }

  String text(long length) throws IOException {
    byte[] bytes = bytes(length);
    String text = new String(bytes, StandardCharsets.UTF_8);
    if (text.indexOf('\uFFFD') >= 0) {
      try {
        return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
      } catch (CharacterCodingException e) {
        throw PickleFailures.textNotUtf8(this);
      }
    }
    return text;
  }

  /** The bytes up to the next line feed, which is skipped, as Latin-1. */
  String line() throws IOException {
    StringBuilder line = new StringBuilder();
    for (int c = u1(); c != '\n'; c = u1()) {
      line.append((char) c);
    }
    return line.toString();
  }

  /** Checks a length that the pickle states against the bytes left. */
  int checkLength(long length) {
    long left = end - position();
    if (length < 0 || length > left) {
      throw PickleFailures.lengthBeyondEnd(this, length, left);
    }
    allowed.require(position() + length, "the pickle", place);
    return (int) length;
  }

  private void need(int n) throws IOException {
    if (limit - at >= n) {
      return;
    }
    if (end - position() < n) {
      throw PickleFailures.cutOff(this);
    }
    allowed.require(position() + n, "the pickle", place);
    int rest = limit - at;
    System.arraycopy(buffer, at, buffer, 0, rest);
    base += at;
    at = 0;
    limit = (int) Math.min(buffer.length, end - base);
    source.read(base + rest, buffer, rest, limit - rest);
  }
}
