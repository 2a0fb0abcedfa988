package dev.reweave.format.pytorch;

import dev.reweave.common.ReweaveException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The central directory of a zip, with Zip64, read backwards from the end of the file.
 *
 * <p>Format: PKWARE's APPNOTE.TXT 6.3.10, sections 4.3.12 and 4.5.3.
 *
 * @param start position of the directory: all entries lie before it
 */
record ZipDirectory(long start, Map<String, ZipEntry> entries) {
  private static final int HEADER_SIGNATURE = 0x02014b50;

  /** Fewest bytes of an entry in the directory. */
  static final int HEADER_BYTES = 46;

  /** A local header's bytes before the name. */
  static final int LOCAL_BYTES = 30;

  private static final int ZIP64_EXTRA = 1;
  private static final long MAX_U32 = 0xffffffffL;

  /**
   * Reads the directory; empty if the file does not end like a zip.
   *
   * @throws ReweaveException if it is damaged, or contradicts itself
   */
  static Optional<ZipDirectory> read(BufferedFile file) throws IOException {
    Optional<ZipEnd> end = ZipEnd.find(file);
    return end.isEmpty() ? Optional.empty() : Optional.of(parse(file, end.get()));
  }

  private static ZipDirectory parse(BufferedFile file, ZipEnd end) throws IOException {
    file.limit().require(end.bytes(), "the zip directory", file.place());
    ByteBuffer directory = file.read(end.offset(), (int) end.bytes());
    Map<String, ZipEntry> entries = new LinkedHashMap<>();
    for (long i = 0; i < end.count(); i++) {
      ZipEntry entry = entry(file, directory, end.offset());
      if (entries.putIfAbsent(entry.name(), entry) != null) {
        throw ZipFailures.entryTwice(entry.name(), file.place());
      }
    }
    if (directory.hasRemaining()) {
      throw ZipFailures.uncountedEntries(file.place());
    }
    separate(file, entries, end.offset());
    return new ZipDirectory(end.offset(), entries);
  }

  /** Tells each entry where it must end. Entries that share bytes would make much out of little. */
  private static void separate(BufferedFile file, Map<String, ZipEntry> entries, long limit) {
    List<ZipEntry> ordered = new ArrayList<>(entries.values());
    ordered.sort(Comparator.comparingLong(ZipEntry::header));
    for (int i = 0; i < ordered.size(); i++) {
      ZipEntry entry = ordered.get(i);
      boolean last = i + 1 == ordered.size();
      long next = last ? limit : ordered.get(i + 1).header();
      if (entry.end() > next) {
        throw last
            ? ZipFailures.overlapsDirectory(entry.name(), file.place())
            : ZipFailures.overlapsEntry(entry.name(), ordered.get(i + 1).name(), file.place());
      }
      entries.put(entry.name(), entry.endingAt(next));
    }
  }

  private static ZipEntry entry(BufferedFile file, ByteBuffer directory, long limit) {
    int at = directory.position();
    if (directory.remaining() < HEADER_BYTES || directory.getInt(at) != HEADER_SIGNATURE) {
      throw ZipFailures.damagedDirectory(file.place());
    }
    int nameBytes = Short.toUnsignedInt(directory.getShort(at + 28));
    int extraBytes = Short.toUnsignedInt(directory.getShort(at + 30));
    int commentBytes = Short.toUnsignedInt(directory.getShort(at + 32));
    if (directory.remaining() < HEADER_BYTES + nameBytes + extraBytes + commentBytes) {
      throw ZipFailures.damagedDirectory(file.place());
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
      throw ZipFailures.entryOutsideFile(file.place());
    }
    int disk = Short.toUnsignedInt(directory.getShort(at + 34));
    if (disk != 0 && disk != 0xffff) {
      throw ZipFailures.entryInOtherPart(file.place());
    }
    String path = new String(name, StandardCharsets.UTF_8);
    requireInside(file, path);
    return new ZipEntry(
        path,
        Short.toUnsignedInt(directory.getShort(at + 8)),
        Short.toUnsignedInt(directory.getShort(at + 10)),
        u32(directory, at + 16),
        stored,
        bytes,
        header,
        header + LOCAL_BYTES + nameBytes + stored);
  }

  /** Nothing is ever unpacked to such a path here; but no writer of torch files makes one. */
  private static void requireInside(BufferedFile file, String path) {
    if (path.startsWith("/")
        || path.indexOf('\\') >= 0
        || path.indexOf('\0') >= 0
        || List.of(path.split("/", -1)).contains("..")) {
      throw ZipFailures.leadsOut(path, file.place());
    }
  }

  private static long wide(BufferedFile file, long narrow, ByteBuffer zip64) {
    if (narrow != MAX_U32) {
      return narrow;
    }
    if (zip64.remaining() < Long.BYTES) {
      throw ZipFailures.noWideSizes(file.place());
    }
    return zip64.getLong();
  }

  /** The content of the Zip64 field among extra fields; empty if there is none. */
  static ByteBuffer zip64(ByteBuffer extra) {
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
}
