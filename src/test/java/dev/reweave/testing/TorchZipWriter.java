package dev.reweave.testing;

import dev.reweave.storage.Checksum;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.zip.CRC32;

/**
 * Writes the zip files of torch.save, as torch 2.13 lays them out: nothing compressed, data aligned
 * by padding in the local header's extra field "FB", checksums and sizes behind the data and in the
 * directory, Zip64 where 4 GiB are passed. Long storages of zeros take no room on the disk.
 */
public final class TorchZipWriter {
  private static final int ALIGNMENT = 64;
  private static final int BLOCK = 1 << 20;
  private static final long ZIP64 = 0xffffffffL;
  private static final int ZIP64_COUNT = 0xffff;
  private static final int UTF8 = 0x800;
  private static final int SIZES_BEHIND = 0x8;

  private record Entry(String name, int flags, long crc, long size, long offset) {
    /** The extra field for what does not fit in four bytes; empty where all does. */
    byte[] zip64() {
      ByteBuffer extra = allocate(4 + 3 * Long.BYTES).putInt(1);
      if (size >= ZIP64) {
        extra.putLong(size).putLong(size);
      }
      if (offset >= ZIP64) {
        extra.putLong(offset);
      }
      extra.putShort(2, (short) (extra.position() - 4));
      return extra.position() == 4 ? new byte[0] : content(extra);
    }

    byte[] path() {
      return name.getBytes(StandardCharsets.UTF_8);
    }
  }

  private final FileChannel file;
  private final OutputStream out;
  private final String folder;
  private final List<Entry> entries = new ArrayList<>();
  private final byte[] block = new byte[BLOCK];
  private long position;

  private TorchZipWriter(FileChannel file, OutputStream out, String folder) {
    this.file = file;
    this.out = out;
    this.folder = folder;
  }

  /**
   * Writes a file, or overwrites it.
   *
   * @param root what {@link PickleWriter} takes; names storages by their index
   */
  public static void write(Path file, Object root, List<StorageContent> storages)
      throws IOException {
    String folder = file.getFileName().toString().replaceFirst("\\.[^.]*$", "");
    try (FileChannel channel =
            FileChannel.open(
                file,
                StandardOpenOption.CREATE,
                StandardOpenOption.TRUNCATE_EXISTING,
                StandardOpenOption.WRITE);
        OutputStream out = new BufferedOutputStream(Channels.newOutputStream(channel))) {
      TorchZipWriter writer = new TorchZipWriter(channel, out, folder);
      writer.entry("data.pkl", PickleWriter.pickle(root));
      writer.entry(".format_version", ascii("1"));
      writer.entry(".storage_alignment", ascii(Integer.toString(ALIGNMENT)));
      writer.entry("byteorder", ascii("little"));
      for (int i = 0; i < storages.size(); i++) {
        StorageContent storage = storages.get(i);
        writer.entry("data/" + i, storage.bytes(), storage.filler());
      }
      writer.entry("version", ascii("3\n"));
      // Torch writes a hash of the names and checksums: 40 digits.
      writer.entry(".data/serialization_id", ascii("%040d".formatted(writer.position)));
      writer.directory();
    }
  }

  private static byte[] ascii(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }

  private void entry(String name, byte[] bytes) throws IOException {
    entry(
        name,
        bytes.length,
        (from, target, length) -> System.arraycopy(bytes, (int) from, target, 0, length));
  }

  private void entry(String name, long size, StorageContent.Filler filler) throws IOException {
    int flags = size == 0 ? UTF8 : UTF8 | SIZES_BEHIND;
    Entry header = new Entry(folder + "/" + name, flags, 0, size, position);
    byte[] path = header.path();
    byte[] zip64 = header.zip64();
    int unpadded = 30 + path.length + zip64.length + 4;
    int padding = (int) Math.floorMod(-(position + unpadded), (long) ALIGNMENT);
    byte[] filling = new byte[padding];
    Arrays.fill(filling, (byte) 'Z');
    write(
        allocate(unpadded + padding)
            .putInt(0x04034b50)
            .putShort((short) 0)
            .putShort((short) flags)
            .putShort((short) 0) // stored
            .putInt(0) // time and date
            .putInt(0) // checksum: behind the data, as the sizes
            .putLong(0)
            .putShort((short) path.length)
            .putShort((short) (zip64.length + 4 + padding))
            .put(path)
            .put(zip64)
            .put(ascii("FB"))
            .putShort((short) padding)
            .put(filling));
    long crc = data(size, filler);
    entries.add(new Entry(header.name(), flags, crc, size, header.offset()));
    if (size > 0 && zip64.length > 0) {
      write(allocate(24).putInt(0x08074b50).putInt((int) crc).putLong(size).putLong(size));
    } else if (size > 0) {
      int small = (int) size;
      write(allocate(16).putInt(0x08074b50).putInt((int) crc).putInt(small).putInt(small));
    }
  }

  private long data(long size, StorageContent.Filler filler) throws IOException {
    if (filler == StorageContent.ZEROS && size > BLOCK) {
      out.flush();
      file.position(file.position() + size);
      position += size;
      return Integer.toUnsignedLong(crcOfZeros(size));
    }
    CRC32 crc = new CRC32();
    for (long at = 0; at < size; at += BLOCK) {
      int length = (int) Math.min(BLOCK, size - at);
      filler.fill(at, block, length);
      crc.update(block, 0, length);
      out.write(block, 0, length);
      position += length;
    }
    return crc.getValue();
  }

  private int crcOfZeros(long size) {
    if (size <= BLOCK) {
      Arrays.fill(block, (byte) 0);
      return Checksum.CRC_32.of(block, 0, (int) size);
    }
    long half = size / 2;
    int behind = crcOfZeros(half);
    int before = size % 2 == 0 ? behind : crcOfZeros(size - half);
    return Checksum.CRC_32.share(before, half) ^ behind;
  }

  private void directory() throws IOException {
    long start = position;
    for (Entry entry : entries) {
      byte[] path = entry.path();
      byte[] zip64 = entry.zip64();
      int size = (int) Math.min(ZIP64, entry.size());
      write(
          allocate(46 + path.length + zip64.length)
              .putInt(0x02014b50)
              .putInt(0) // versions made by and needed
              .putShort((short) entry.flags())
              .putShort((short) 0) // stored
              .putInt(0) // time and date
              .putInt((int) entry.crc())
              .putInt(size)
              .putInt(size)
              .putShort((short) path.length)
              .putShort((short) zip64.length)
              .putShort((short) 0) // comment
              .putShort((short) 0) // disk
              .putShort((short) 0) // attributes
              .putInt(0)
              .putInt((int) Math.min(ZIP64, entry.offset()))
              .put(path)
              .put(zip64));
    }
    end(start, position - start);
  }

  private void end(long start, long length) throws IOException {
    int count = entries.size();
    // Torch writes the records of Zip64 for small files, too.
    long end = position;
    write(
        allocate(56)
            .putInt(0x06064b50)
            .putLong(44)
            .putShort((short) 0x031e)
            .putShort((short) 45)
            .putLong(0) // disks
            .putLong(count)
            .putLong(count)
            .putLong(length)
            .putLong(start));
    write(allocate(20).putInt(0x07064b50).putInt(0).putLong(end).putInt(1));
    write(
        allocate(22)
            .putInt(0x06054b50)
            .putInt(0) // disks
            .putShort((short) Math.min(ZIP64_COUNT, count))
            .putShort((short) Math.min(ZIP64_COUNT, count))
            .putInt((int) Math.min(ZIP64, length))
            .putInt((int) Math.min(ZIP64, start))
            .putShort((short) 0));
  }

  private static ByteBuffer allocate(int bytes) {
    return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }

  private void write(ByteBuffer bytes) throws IOException {
    position += bytes.position();
    out.write(content(bytes));
  }

  private static byte[] content(ByteBuffer buffer) {
    byte[] bytes = new byte[buffer.position()];
    buffer.get(0, bytes);
    return bytes;
  }
}
