package dev.reweave.tensor;

import java.io.Serializable;

/**
 * Where the bytes of one torch storage lie: a range of one input file.
 *
 * @param file index of the file in the checkpoint's list of input files
 * @param name the storage in the file, for messages, such as {@code data/0}
 * @param position first byte of the storage in the file
 * @param dtype type of its elements
 * @param elements number of elements
 * @param order byte order of its elements
 * @param crc32 CRC-32 of all its bytes as the file states it, or {@link #NO_CRC}, {@link
 *     #CRC_LEFT_OUT} or {@link #UNCOUNTED}
 */
public record StorageRef(
    int file, String name, long position, DType dtype, long elements, Endian order, long crc32)
    implements Serializable {

  /** Says that the file keeps no checksum of the storage. */
  public static final long NO_CRC = -1;

  /** Says that the format has a place for it, and that the writer was told to leave it out. */
  public static final long CRC_LEFT_OUT = -2;

  /**
   * Says that these bytes count for no checksum: they are between storages, or read for the second
   * time.
   */
  public static final long UNCOUNTED = -3;

  /** Order of the bytes of one element. */
  public enum Endian {
    LITTLE,
    BIG
  }

  public StorageRef {
    if (position < 0 || elements < 0 || elements > (Long.MAX_VALUE - position) / dtype.bytes()) {
      throw new IllegalArgumentException(
          "storage " + name + " at " + position + " of " + elements + " elements of " + dtype);
    }
  }

  /** Size in bytes. */
  public long bytes() {
    return elements * dtype.bytes();
  }

  /** Whether it is to be checked as far as that can be done. No bean property: this is kept. */
  public boolean counts() {
    return crc32 != UNCOUNTED;
  }

  /** The same, to count for no checksum. */
  StorageRef uncounted() {
    return new StorageRef(file, name, position, dtype, elements, order, UNCOUNTED);
  }

  /** Whether the file states a CRC-32 of the storage. */
  public boolean hasCrc() {
    return crc32 >= 0;
  }

  /** The same storage in a list of files where its file stands at {@code index}. */
  public StorageRef inFile(int index) {
    return new StorageRef(index, name, position, dtype, elements, order, crc32);
  }
}
