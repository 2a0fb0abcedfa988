package dev.reweave.pytorch;

import dev.reweave.ReweaveException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * The central directory of a zip, with Zip64, read backwards from the end of the file.
 *
 * <p>Format: PKWARE's APPNOTE.TXT 6.3.10, sections 4.3.12 to 4.3.16 and 4.5.3.
 *
 * @param start position of the directory: all entries lie before it
 */
record ZipDirectory(long start, Map<String, ZipEntry> entries) {
  private static final int END_SIGNATURE = 0x06054b50;
  private static final int END_BYTES = 22;
  private static final int LOCATOR_SIGNATURE = 0x07064b50;
  private static final int LOCATOR_BYTES = 20;
  private static final int END64_SIGNATURE = 0x06064b50;
  private static final int END64_BYTES = 56;
  private static final int HEADER_SIGNATURE = 0x02014b50;
  private static final int HEADER_BYTES = 46;
  private static final int ZIP64_EXTRA = 1;
  private static final long MAX_U32 = 0xffffffffL;

  /** Where the directory lies and how many entries it has. */
  private record End(long offset, long bytes, long count) {}

  /** Reads the directory; empty if the file does not end like a zip. */
  static Optional<ZipDirectory> read(BufferedFile file) throws IOException {
    ByteBuffer tail = file.tail();
    for (int at = tail.limit() - END_BYTES; at >= 0; at--) {
      if (tail.getInt(at) == END_SIGNATURE
          && at + END_BYTES + Short.toUnsignedInt(tail.getShort(at + 20)) == tail.limit()) {
        return Optional.of(parse(file, end(file, at), file.tailStart() + at));
      }
    }
    return Optional.empty();
  }

  private static End end(BufferedFile file, int at) throws IOException {
    ByteBuffer tail = file.tail();
    End end =
        new End(
            u32(tail, at + 16), u32(tail, at + 12), Short.toUnsignedInt(tail.getShort(at + 10)));
    if (end.offset() != MAX_U32 && end.bytes() != MAX_U32 && end.count() != 0xffff) {
      return end;
    }
    if (at < LOCATOR_BYTES || tail.getInt(at - LOCATOR_BYTES) != LOCATOR_SIGNATURE) {
      return end;
    }
    long position = tail.getLong(at - LOCATOR_BYTES + 8);
    long last = file.tailStart() + at - LOCATOR_BYTES - END64_BYTES;
    if (position < 0 || position > last) {
      throw damaged(file, "the Zip64 end record lies outside the file");
    }
    ByteBuffer end64 = file.read(position, END64_BYTES);
    if (end64.getInt(0) != END64_SIGNATURE) {
      throw damaged(file, "the Zip64 end record is missing");
    }
    return new End(end64.getLong(48), end64.getLong(40), end64.getLong(32));
  }

  private static ZipDirectory parse(BufferedFile file, End end, long endPosition)
      throws IOException {
    if (end.offset() < 0
        || end.bytes() < 0
        || end.offset() > endPosition
        || end.bytes() > endPosition - end.offset()
        || end.count() < 0
        || end.count() > end.bytes() / HEADER_BYTES) {
      throw damaged(file, "the zip directory lies outside the file");
    }
    if (end.bytes() > PickleBudget.MAX_BYTES) {
      throw damaged(
          file, "the zip directory has " + end.bytes() + " bytes, more than is plausible");
    }
    ByteBuffer directory = file.read(end.offset(), (int) end.bytes());
    Map<String, ZipEntry> entries = new LinkedHashMap<>();
    for (long i = 0; i < end.count(); i++) {
      ZipEntry entry = entry(file, directory, end.offset());
      if (entries.putIfAbsent(entry.name(), entry) != null) {
        throw damaged(file, "the zip directory has two entries '" + entry.name() + "'");
      }
    }
    return new ZipDirectory(end.offset(), entries);
  }

  private static ZipEntry entry(BufferedFile file, ByteBuffer directory, long limit) {
    int at = directory.position();
    if (directory.remaining() < HEADER_BYTES || directory.getInt(at) != HEADER_SIGNATURE) {
      throw damaged(file, "the zip directory is damaged");
    }
    int nameBytes = Short.toUnsignedInt(directory.getShort(at + 28));
    int extraBytes = Short.toUnsignedInt(directory.getShort(at + 30));
    int commentBytes = Short.toUnsignedInt(directory.getShort(at + 32));
    if (directory.remaining() < HEADER_BYTES + nameBytes + extraBytes + commentBytes) {
      throw damaged(file, "the zip directory is damaged");
    }
    byte[] name = new byte[nameBytes];
    directory.get(at + HEADER_BYTES, name);
    ByteBuffer extra = directory.slice(at + HEADER_BYTES + nameBytes, extraBytes);
    ByteBuffer wide = zip64(extra.order(ByteOrder.LITTLE_ENDIAN));
    directory.position(at + HEADER_BYTES + nameBytes + extraBytes + commentBytes);
    // The order in which the Zip64 field keeps those that do not fit.
    long bytes = wide(file, u32(directory, at + 24), wide);
    long stored = wide(file, u32(directory, at + 20), wide);
    long header = wide(file, u32(directory, at + 42), wide);
    if (stored < 0 || bytes < 0 || header < 0 || header > limit || stored > limit - header) {
      throw damaged(file, "a zip entry lies outside the file");
    }
    return new ZipEntry(
        new String(name, StandardCharsets.UTF_8),
        Short.toUnsignedInt(directory.getShort(at + 8)),
        Short.toUnsignedInt(directory.getShort(at + 10)),
        u32(directory, at + 16),
        stored,
        bytes,
        header);
  }

  private static long wide(BufferedFile file, long narrow, ByteBuffer zip64) {
    if (narrow != MAX_U32) {
      return narrow;
    }
    if (zip64.remaining() < Long.BYTES) {
      throw damaged(file, "a zip entry lacks its Zip64 sizes");
    }
    return zip64.getLong();
  }

  /** The content of the Zip64 field among extra fields; empty if there is none. */
  private static ByteBuffer zip64(ByteBuffer extra) {
    while (extra.remaining() >= 4) {
      int id = Short.toUnsignedInt(extra.getShort());
      int length = Math.min(Short.toUnsignedInt(extra.getShort()), extra.remaining());
      if (id == ZIP64_EXTRA) {
        return extra.slice(extra.position(), length).order(ByteOrder.LITTLE_ENDIAN);
      }
      extra.position(extra.position() + length);
    }
    return ByteBuffer.allocate(0);
  }

  private static long u32(ByteBuffer buffer, int at) {
    return Integer.toUnsignedLong(buffer.getInt(at));
  }

  private static ReweaveException damaged(BufferedFile file, String problem) {
    return new ReweaveException(
        problem, file.file().uri(), "the file is damaged: copy it again from its source");
  }
}
