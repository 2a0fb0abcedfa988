package dev.reweave.format.pytorch;

import dev.reweave.storage.InputFile;
import dev.reweave.storage.MetadataLimit;
import dev.reweave.storage.RandomAccess;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * A file whose last bytes are in memory, and with each small read the bytes that follow it: on an
 * object store a read of some kilobytes takes as long as one of a few bytes, and the headers of
 * small storages lie close together.
 */
final class BufferedFile {
  /** A zip's end record with the longest comment. */
  private static final int TAIL_BYTES = (1 << 16) + 22;

  /** Bytes of a small read. */
  static final int WINDOW_BYTES = 1 << 14;

  /** Bytes of the file from a position. */
  private record Window(long start, ByteBuffer bytes) {
    boolean holds(long position, int length) {
      return position >= start && position - start <= bytes.limit() - length;
    }
  }

  private final RandomAccess access;
  private final Window tail;
  private Window recent;

  private BufferedFile(RandomAccess access, Window tail) {
    this.access = access;
    this.tail = tail;
    this.recent = tail;
  }

  static BufferedFile open(RandomAccess access) throws IOException {
    return open(access, TAIL_BYTES);
  }

  /**
   * @param tailBytes most of the last bytes that are read at once
   */
  static BufferedFile open(RandomAccess access, int tailBytes) throws IOException {
    long length = access.file().length();
    int bytes = (int) Math.min(tailBytes, length);
    return new BufferedFile(access, window(access, length - bytes, bytes));
  }

  private static Window window(RandomAccess access, long start, int length) throws IOException {
    byte[] bytes = new byte[length];
    access.readFully(start, bytes, 0, length);
    return new Window(start, ByteBuffer.wrap(bytes));
  }

  /** The file, for messages. */
  String place() {
    return file().uri();
  }

  /** How much of the file may be structure. */
  MetadataLimit limit() {
    return access.limit();
  }

  InputFile file() {
    return access.file();
  }

  /** Position in the file of the tail. */
  long tailStart() {
    return tail.start();
  }

  /** The last bytes of the file, for little-endian reading. */
  ByteBuffer tail() {
    return tail.bytes().duplicate().order(ByteOrder.LITTLE_ENDIAN);
  }

  /** The {@code length} bytes from {@code position}, which the file is known to have. */
  ByteBuffer read(long position, int length) throws IOException {
    Window window = tail.holds(position, length) ? tail : recent;
    if (!window.holds(position, length)) {
      long ahead = Math.min(WINDOW_BYTES, file().length() - position);
      window = window(access, position, (int) Math.max(length, ahead));
      if (length > WINDOW_BYTES) {
        return window.bytes().order(ByteOrder.LITTLE_ENDIAN);
      }
      recent = window;
    }
    byte[] bytes = new byte[length];
    window.bytes().get((int) (position - window.start()), bytes);
    return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }
}
