package dev.reweave.format.pytorch;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Optional;

/**
 * What the end of a zip says of its directory, with Zip64. Where two records say the same thing
 * they must agree: readers differ in which of them they believe.
 *
 * <p>Format: PKWARE's APPNOTE.TXT 6.3.10, sections 4.3.14 to 4.3.16.
 *
 * @param offset position of the directory
 * @param bytes length of the directory
 * @param count entries in it
 */
record ZipEnd(long offset, long bytes, long count) {
  private static final int SIGNATURE = 0x06054b50;
  private static final int RECORD_BYTES = 22;
  private static final int LOCATOR_SIGNATURE = 0x07064b50;
  private static final int LOCATOR_BYTES = 20;
  private static final int SIGNATURE64 = 0x06064b50;
  private static final int RECORD64_BYTES = 56;

  /** Bytes of a record before those that its length counts. */
  private static final int UNCOUNTED_BYTES = 12;

  private static final long MAX_U32 = 0xffffffffL;
  private static final int MAX_U16 = 0xffff;

  /** Reads the end; empty if the file does not end like a zip. */
  static Optional<ZipEnd> find(BufferedFile file) throws IOException {
    ByteBuffer tail = file.tail();
    int found = -1;
    for (int at = tail.limit() - RECORD_BYTES; at >= 0; at--) {
      if (tail.getInt(at) == SIGNATURE && behind(tail, at) == 0) {
        if (found >= 0) {
          throw ZipFailures.twoEnds(file.place());
        }
        found = at;
      }
    }
    if (found < 0) {
      refuseTrailing(file);
      return Optional.empty();
    }
    return Optional.of(read(file, found));
  }

  /** Bytes that follow an end record and its comment; negative if they leave the file. */
  private static int behind(ByteBuffer tail, int at) {
    return tail.limit() - at - RECORD_BYTES - u16(tail, at + 20);
  }

  private static void refuseTrailing(BufferedFile file) {
    ByteBuffer tail = file.tail();
    for (int at = tail.limit() - RECORD_BYTES; at >= 0; at--) {
      if (tail.getInt(at) == SIGNATURE && behind(tail, at) > 0) {
        boolean fits = u32(tail, at + 12) + u32(tail, at + 16) == file.tailStart() + at;
        if (fits || hasLocator(tail, at)) {
          throw ZipFailures.bytesBehindEnd(behind(tail, at), file.place());
        }
      }
    }
  }

  private static boolean hasLocator(ByteBuffer tail, int at) {
    return at >= LOCATOR_BYTES && tail.getInt(at - LOCATOR_BYTES) == LOCATOR_SIGNATURE;
  }

  private static ZipEnd read(BufferedFile file, int at) throws IOException {
    ByteBuffer tail = file.tail();
    ZipEnd narrow = new ZipEnd(u32(tail, at + 16), u32(tail, at + 12), u16(tail, at + 10));
    requireOneDisk(file, u16(tail, at + 4), MAX_U16);
    requireOneDisk(file, u16(tail, at + 6), MAX_U16);
    if (u16(tail, at + 8) != narrow.count()) {
      throw ZipFailures.countsDiffer(file.place());
    }
    if (!hasLocator(tail, at)) {
      narrow.requireBefore(file, file.tailStart() + at);
      return narrow;
    }
    long locator = file.tailStart() + at - LOCATOR_BYTES;
    long position = tail.getLong(at - LOCATOR_BYTES + 8);
    requireOneDisk(file, u32(tail, at - LOCATOR_BYTES + 4), MAX_U32);
    if (u32(tail, at - LOCATOR_BYTES + 16) > 1) {
      throw ZipFailures.partOfSeveral(file.place());
    }
    ZipEnd wide = read64(file, position, locator);
    boolean agrees =
        (narrow.offset() == MAX_U32 || narrow.offset() == wide.offset())
            && (narrow.bytes() == MAX_U32 || narrow.bytes() == wide.bytes())
            && (narrow.count() == MAX_U16 || narrow.count() == wide.count());
    if (!agrees) {
      throw ZipFailures.endsDiffer(file.place());
    }
    wide.requireBefore(file, position);
    return wide;
  }

  private static ZipEnd read64(BufferedFile file, long position, long locator) throws IOException {
    if (position < 0 || position > locator - RECORD64_BYTES) {
      throw ZipFailures.wideEndOutsideFile(file.place());
    }
    ByteBuffer record = file.read(position, RECORD64_BYTES);
    if (record.getInt(0) != SIGNATURE64) {
      throw ZipFailures.noWideEnd(file.place());
    }
    if (record.getLong(4) != locator - position - UNCOUNTED_BYTES) {
      throw ZipFailures.wideEndTooShort(file.place());
    }
    requireOneDisk(file, u32(record, 16), MAX_U32);
    requireOneDisk(file, u32(record, 20), MAX_U32);
    if (record.getLong(24) != record.getLong(32)) {
      throw ZipFailures.countsDiffer(file.place());
    }
    return new ZipEnd(record.getLong(48), record.getLong(40), record.getLong(32));
  }

  /**
   * @param none what stands for a number that another record has
   */
  private static void requireOneDisk(BufferedFile file, long disk, long none) {
    if (disk != 0 && disk != none) {
      throw ZipFailures.partOfSeveral(file.place());
    }
  }

  /**
   * @param position where the directory must end
   */
  private void requireBefore(BufferedFile file, long position) {
    if (offset < 0
        || bytes < 0
        || offset > position
        || bytes > position - offset
        || count < 0
        || count > bytes / ZipDirectory.HEADER_BYTES) {
      throw ZipFailures.directoryOutsideFile(file.place());
    }
    if (offset + bytes != position) {
      throw ZipFailures.bytesBehindDirectory(file.place());
    }
  }

  private static int u16(ByteBuffer buffer, int at) {
    return Short.toUnsignedInt(buffer.getShort(at));
  }

  private static long u32(ByteBuffer buffer, int at) {
    return Integer.toUnsignedLong(buffer.getInt(at));
  }
}
