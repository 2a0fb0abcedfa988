package dev.reweave.tensor;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/** What the bits of elements tell, whatever their type is, eight bytes of them at a time. */
final class BitLanes {
  private static final VarHandle LONGS =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

  private BitLanes() {}

  /** The pattern in all lanes of a long. */
  static long repeated(int bits, long pattern) {
    long all = pattern;
    for (int width = bits; width < Long.SIZE; width *= 2) {
      all |= all << width;
    }
    return all;
  }

  /** At most eight bytes as the low ones of a long; the others are 0. */
  static long rest(byte[] data, int offset, int length) {
    long rest = 0;
    for (int i = 0; i < length; i++) {
      rest |= (data[offset + i] & 0xFFL) << (Byte.SIZE * i);
    }
    return rest;
  }

  /**
   * Whether all elements have the bits of the first one.
   *
   * @param bytes of an element: 1, 2, 4 or 8
   */
  static boolean isUniform(int bytes, byte[] data, int offset, int elements) {
    long all = repeated(Byte.SIZE * bytes, first(bytes, data, offset, elements));
    int length = elements * bytes;
    int whole = length & -Long.BYTES;
    for (int i = 0; i < whole; i += Long.BYTES) {
      if ((long) LONGS.get(data, offset + i) != all) {
        return false;
      }
    }
    int rest = length - whole;
    return rest(data, offset + whole, rest) == (all & ((1L << (Byte.SIZE * rest)) - 1));
  }

  /** The bits of the first element; 0 if there is none. */
  static long first(int bytes, byte[] data, int offset, int elements) {
    return elements == 0 ? 0 : rest(data, offset, bytes);
  }

  /**
   * How many elements have no bit set.
   *
   * @param bytes of an element: 1, 2, 4 or 8
   */
  static long zeros(int bytes, byte[] data, int offset, int elements) {
    long high = repeated(Byte.SIZE * bytes, 1L << (Byte.SIZE * bytes - 1));
    int length = elements * bytes;
    int whole = length & -Long.BYTES;
    long nonzero = 0;
    for (int i = 0; i < whole; i += Long.BYTES) {
      nonzero += nonzero((long) LONGS.get(data, offset + i), high);
    }
    return elements - nonzero - nonzero(rest(data, offset + whole, length - whole), high);
  }

  /** The other bits carry into the high one if one of them is set. */
  private static int nonzero(long bits, long high) {
    return Long.bitCount((((bits & ~high) + ~high) | bits) & high);
  }
}
