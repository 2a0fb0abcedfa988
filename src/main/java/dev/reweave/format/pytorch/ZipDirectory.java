package dev.reweave.format.pytorch;

import dev.reweave.common.ReweaveException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/**
 * The central directory of a zip, with Zip64, read backwards from the end of the file.
 *
 * <p>Of a thousand ranks each has an entry for every tensor, and hardly any is asked for: they stay
 * as they lie in the directory until one is.
 *
 * <p>Format: PKWARE's APPNOTE.TXT 6.3.10, sections 4.3.12 and 4.5.3.
 */
final class ZipDirectory {
  private static final int HEADER_SIGNATURE = 0x02014b50;

  /** Fewest bytes of an entry in the directory. */
  static final int HEADER_BYTES = 46;

  /** A local header's bytes before the name. */
  static final int LOCAL_BYTES = 30;

  private static final int ZIP64_EXTRA = 1;
  private static final long MAX_U32 = 0xffffffffL;

  private final BufferedFile file;
  private final ByteBuffer directory;
  private final long start;

  /** Where each entry stands in the directory. */
  private final int[] at;

  private final ZipNames names;
  private long[] ends;

  private ZipDirectory(BufferedFile file, byte[] bytes, ZipEnd end) {
    this.file = file;
    this.directory = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    this.start = end.offset();
    this.at = new int[Math.toIntExact(end.count())];
    this.names = new ZipNames(bytes, at.length);
    this.ends = new long[at.length];
  }

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
    byte[] bytes = file.read(end.offset(), (int) end.bytes()).array();
    ZipDirectory directory = new ZipDirectory(file, bytes, end);
    directory.requireSound();
    directory.separate();
    return directory;
  }

  /** Position of the directory: all entries lie before it. */
  long start() {
    return start;
  }

  /** All entries in their order. */
  List<ZipEntry> entries() {
    List<ZipEntry> entries = new ArrayList<>(at.length);
    for (int i = 0; i < at.length; i++) {
      entries.add(entry(i));
    }
    return entries;
  }

  /** The entry of a name. */
  Optional<ZipEntry> find(String name) {
    int found = names.find(name);
    return found < 0 ? Optional.empty() : Optional.of(entry(found));
  }

  /** The entries whose names end so, in their order. */
  List<ZipEntry> findEndingIn(String end) {
    return names.endingIn(end).stream().map(this::entry).toList();
  }

  private void requireSound() {
    for (int i = 0; i < at.length; i++) {
      at[i] = directory.position();
      int nameBytes = requireSound(at[i]);
      if (names.add(at[i] + HEADER_BYTES, nameBytes)) {
        throw ZipFailures.entryTwice(names.name(i), file.place());
      }
    }
    if (directory.hasRemaining()) {
      throw ZipFailures.uncountedEntries(file.place());
    }
  }

  /** Checks the entry that stands there, and goes behind it; gives the length of its name. */
  private int requireSound(int entry) {
    if (directory.remaining() < HEADER_BYTES || directory.getInt(entry) != HEADER_SIGNATURE) {
      throw ZipFailures.damagedDirectory(file.place());
    }
    int nameBytes = nameBytes(entry);
    int behind = nameBytes + u16(entry + 30) + u16(entry + 32);
    if (directory.remaining() < HEADER_BYTES + behind) {
      throw ZipFailures.damagedDirectory(file.place());
    }
    Extent extent = extent(entry);
    if (extent.stored() < 0
        || extent.bytes() < 0
        || extent.header() < 0
        || extent.header() > start
        || extent.stored() > start - extent.header()) {
      throw ZipFailures.entryOutsideFile(file.place());
    }
    int disk = u16(entry + 34);
    if (disk != 0 && disk != 0xffff) {
      throw ZipFailures.entryInOtherPart(file.place());
    }
    if (names.leadsOut(entry + HEADER_BYTES, nameBytes)) {
      throw ZipFailures.leadsOut(names.text(entry + HEADER_BYTES, nameBytes), file.place());
    }
    directory.position(entry + HEADER_BYTES + behind);
    return nameBytes;
  }

  /** Tells each entry where it must end. Entries that share bytes would make much out of little. */
  private void separate() {
    boolean apart = true;
    for (int i = 0; i < at.length; i++) {
      ends[i] = i + 1 < at.length ? extent(at[i + 1]).header() : start;
      apart &= ownEnd(i) <= ends[i];
    }
    if (!apart) {
      separateSorted();
    }
  }

  /** The same of entries that do not lie in their order, or not apart. */
  private void separateSorted() {
    List<Integer> ordered = new ArrayList<>();
    for (int i = 0; i < at.length; i++) {
      ordered.add(i);
    }
    ordered.sort(Comparator.comparingLong(i -> extent(at[i]).header()));
    for (int i = 0; i < at.length; i++) {
      int entry = ordered.get(i);
      boolean last = i + 1 == at.length;
      long next = last ? start : extent(at[ordered.get(i + 1)]).header();
      if (ownEnd(entry) > next) {
        throw last
            ? ZipFailures.overlapsDirectory(names.name(entry), file.place())
            : ZipFailures.overlapsEntry(
                names.name(entry), names.name(ordered.get(i + 1)), file.place());
      }
      ends[entry] = next;
    }
  }

  /** Where an entry ends at the earliest. */
  private long ownEnd(int index) {
    Extent extent = extent(at[index]);
    return extent.header() + LOCAL_BYTES + nameBytes(at[index]) + extent.stored();
  }

  private int nameBytes(int entry) {
    return u16(entry + 28);
  }

  private ZipEntry entry(int index) {
    int entry = at[index];
    Extent extent = extent(entry);
    return new ZipEntry(
        names.name(index),
        u16(entry + 8),
        u16(entry + 10),
        u32(directory, entry + 16),
        extent.stored(),
        extent.bytes(),
        extent.header(),
        ends[index]);
  }

  /** Numbers that stand in a field of their own where they are large. */
  private record Extent(long bytes, long stored, long header) {}

  private Extent extent(int entry) {
    long bytes = u32(directory, entry + 24);
    long stored = u32(directory, entry + 20);
    long header = u32(directory, entry + 42);
    if (bytes != MAX_U32 && stored != MAX_U32 && header != MAX_U32) {
      return new Extent(bytes, stored, header);
    }
    ByteBuffer extra = directory.slice(entry + HEADER_BYTES + nameBytes(entry), u16(entry + 30));
    ByteBuffer wide = zip64(extra.order(ByteOrder.LITTLE_ENDIAN));
    // The order in which the Zip64 field keeps those that do not fit.
    bytes = wide(file, bytes, wide);
    stored = wide(file, stored, wide);
    return new Extent(bytes, stored, wide(file, header, wide));
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

  private int u16(int position) {
    return Short.toUnsignedInt(directory.getShort(position));
  }
}
