package dev.reweave.format.pytorch;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.Serializable;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

/**
 * An entry of a zip that is to be written where and as long as {@code torch.save} would make it:
 * stored, its bytes aligned by padding in the local header's extra field {@code FB}, a data
 * descriptor behind them unless there are none ({@code mz_zip_writer_add_mem_ex_v2} in miniz,
 * {@code getPadding} in {@code caffe2/serialize/inline_container.cc}).
 *
 * <p>Unlike torch, the local header tells the length, too.
 *
 * @param name with the folder
 * @param header position of the local header in the file
 * @param bytes length
 * @param crc32 of the bytes, or 0 if not known before they are written: readers take that of the
 *     central directory, as the flags say
 */
record PlannedEntry(String name, long header, long bytes, int crc32) implements Serializable {
  static final int ALIGNMENT = 64;
  static final long MAX_U32 = 0xffffffffL;

  private static final int LOCAL_SIGNATURE = 0x04034b50;
  private static final int LOCAL_BYTES = 30;
  private static final int DESCRIPTOR_SIGNATURE = 0x08074b50;
  private static final int DIRECTORY_SIGNATURE = 0x02014b50;
  private static final int DIRECTORY_BYTES = 46;
  private static final int FIELD_BYTES = 4;
  private static final short ZIP64 = 1;

  /** Names are UTF-8. */
  private static final int UTF8 = 1 << 11;

  /** Checksum and lengths stand behind the bytes and in the directory. */
  private static final int LENGTHS_BEHIND = 1 << 3;

  /** Position of the first byte: torch leaves as much room as its own Zip64 field would take. */
  long position() {
    int zip64 = zip64Bytes();
    long start = header + LOCAL_BYTES + name.getBytes(UTF_8).length + zip64 + FIELD_BYTES;
    return (start + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
  }

  /** Position behind the descriptor. */
  long end() {
    return Math.addExact(position(), bytes) + descriptorBytes();
  }

  byte[] localHeader() {
    byte[] path = name.getBytes(UTF_8);
    int extra = (int) (position() - header) - LOCAL_BYTES - path.length;
    int zip64 = bytes < MAX_U32 ? 0 : FIELD_BYTES + 2 * Long.BYTES;
    int padding = extra - zip64 - FIELD_BYTES;
    ByteBuffer out =
        ByteBuffer.allocate(LOCAL_BYTES + path.length + extra).order(ByteOrder.LITTLE_ENDIAN);
    out.putInt(LOCAL_SIGNATURE);
    out.putShort((short) 0); // version that is needed: torch says none
    putCommon(out, crc32, path);
    out.putShort((short) extra).put(path);
    if (zip64 > 0) {
      out.putShort(ZIP64).putShort((short) (2 * Long.BYTES)).putLong(bytes).putLong(bytes);
    }
    out.put("FB".getBytes(US_ASCII)).putShort((short) padding);
    Arrays.fill(out.array(), out.position(), out.limit(), (byte) 'Z');
    return out.array();
  }

  /** What stands behind the bytes. */
  byte[] descriptor() {
    ByteBuffer out = ByteBuffer.allocate(descriptorBytes()).order(ByteOrder.LITTLE_ENDIAN);
    if (out.hasRemaining()) {
      out.putInt(DESCRIPTOR_SIGNATURE).putInt(crc32);
      if (zip64Bytes() > 0) {
        out.putLong(bytes).putLong(bytes);
      } else {
        out.putInt((int) bytes).putInt((int) bytes);
      }
    }
    return out.array();
  }

  /** Length of {@link #directoryRecord}. */
  int directoryBytes() {
    return DIRECTORY_BYTES + name.getBytes(UTF_8).length + zip64Bytes();
  }

  /** The entry in the central directory. */
  byte[] directoryRecord(int crc) {
    byte[] path = name.getBytes(UTF_8);
    int zip64 = zip64Bytes();
    ByteBuffer out =
        ByteBuffer.allocate(DIRECTORY_BYTES + path.length + zip64).order(ByteOrder.LITTLE_ENDIAN);
    out.putInt(DIRECTORY_SIGNATURE);
    out.putInt(0); // versions that made it and that is needed
    putCommon(out, crc, path);
    out.putShort((short) zip64);
    out.putShort((short) 0).putShort((short) 0); // comment, disk
    out.putShort((short) 0).putInt(0); // attributes
    out.putInt((int) Math.min(MAX_U32, header)).put(path);
    if (zip64 > 0) {
      out.putShort(ZIP64).putShort((short) (zip64 - FIELD_BYTES));
      if (bytes >= MAX_U32) {
        out.putLong(bytes).putLong(bytes);
      }
      if (header >= MAX_U32) {
        out.putLong(header);
      }
    }
    return out.array();
  }

  /** What the local header and the record in the directory share. */
  private void putCommon(ByteBuffer out, int crc, byte[] path) {
    int length = (int) Math.min(MAX_U32, bytes);
    out.putShort((short) (bytes == 0 ? UTF8 : UTF8 | LENGTHS_BEHIND));
    out.putShort((short) 0); // stored
    out.putInt(0); // no time, so that the same tensors give the same bytes
    out.putInt(crc).putInt(length).putInt(length).putShort((short) path.length);
  }

  /** Length of the directory's Zip64 field, for what does not fit in four bytes; 0 if all does. */
  private int zip64Bytes() {
    int numbers = (bytes >= MAX_U32 ? 2 : 0) + (header >= MAX_U32 ? 1 : 0);
    return numbers == 0 ? 0 : FIELD_BYTES + numbers * Long.BYTES;
  }

  private int descriptorBytes() {
    if (bytes == 0) {
      return 0;
    }
    return zip64Bytes() > 0 ? 24 : 16;
  }
}
