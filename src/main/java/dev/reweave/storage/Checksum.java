package dev.reweave.storage;

import java.util.Locale;
import java.util.zip.CRC32;
import java.util.zip.CRC32C;

/**
 * Checksums of long byte sequences whose parts are read by many tasks in any order.
 *
 * <p>The CRC of a sequence is the exclusive or, over its parts, of each part's CRC shifted by the
 * number of bytes behind the part. So parts can be summed up in any order, and a sum takes no
 * memory (the identity is zlib's {@code crc32_combine}).
 */
public enum Checksum {
  /** CRC-32 as in zip files. */
  CRC_32 {
    @Override
    public int of(byte[] data, int offset, int length) {
      CRC32 crc = new CRC32();
      crc.update(data, offset, length);
      return (int) crc.getValue();
    }
  },
  /** CRC-32C (Castagnoli), as object stores and HDFS use it. */
  CRC_32C {
    @Override
    public int of(byte[] data, int offset, int length) {
      CRC32C crc = new CRC32C();
      crc.update(data, offset, length);
      return (int) crc.getValue();
    }
  };

  /** Made when the first sum is taken. */
  private static final class Shifts {
    static final CrcShift CRC_32 = new CrcShift(0xEDB88320);
    static final CrcShift CRC_32C = new CrcShift(0x82F63B78);
  }

  /** The checksum of {@code data[offset, offset + length)}. */
  public abstract int of(byte[] data, int offset, int length);

  /**
   * What a part adds to the checksum of its sequence.
   *
   * @param partCrc checksum of the part alone
   * @param bytesBehind bytes of the sequence behind the part
   */
  public int share(int partCrc, long bytesBehind) {
    return (this == CRC_32 ? Shifts.CRC_32 : Shifts.CRC_32C).by(bytesBehind, partCrc);
  }

  /** A checksum in eight hexadecimal digits, as manifests and messages show it. */
  public static String hex(int crc) {
    return String.format(Locale.ROOT, "%08x", crc);
  }
}
