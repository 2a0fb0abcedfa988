package dev.reweave.tensor;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/**
 * Counts of floating-point numbers by their bits, eight bytes of them at a time.
 *
 * <p>Without its sign, a number is in the order of its bits, and the sign's bit is free. So adding
 * what is missing from a bound to that bit sets it in all numbers from the bound on, and never
 * carries into the next number.
 */
enum FloatLanes {
  F16(16, 0x7C00, 0x0400),
  BF16(16, 0x7F80, 0x0080),
  F32(32, 0x7F800000L, 0x00800000L),
  F64(64, 0x7FF0000000000000L, 0x0010000000000000L);

  private static final VarHandle LONGS =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

  private final int bytes;
  private final long signs;
  private final long toInfinity;
  private final long toNan;
  private final long toNormal;
  private final long toNonzero;

  FloatLanes(int bits, long infinity, long leastNormal) {
    this.bytes = bits / Byte.SIZE;
    long sign = 1L << (bits - 1);
    this.signs = BitLanes.repeated(bits, sign);
    this.toInfinity = BitLanes.repeated(bits, sign - infinity);
    this.toNan = BitLanes.repeated(bits, sign - infinity - 1);
    this.toNormal = BitLanes.repeated(bits, sign - leastNormal);
    this.toNonzero = BitLanes.repeated(bits, sign - 1);
  }

  /** The lanes of one of the four types. */
  static FloatLanes of(DType type) {
    return valueOf(type.name());
  }

  /** What a number can be, but for the normal ones. */
  record Counts(long nans, long infinities, long zeros, long subnormals) {}

  Counts count(byte[] data, int offset, int elements) {
    int length = elements * bytes;
    int whole = length & -Long.BYTES;
    // Two counters, since most numbers are normal: what the others are is looked at where needed.
    long nonfinite = 0;
    long normal = 0;
    for (int i = 0; i < whole; i += Long.BYTES) {
      long numbers = (long) LONGS.get(data, offset + i) & ~signs;
      nonfinite += Long.bitCount((numbers + toInfinity) & signs);
      normal += Long.bitCount((numbers + toNormal) & signs);
    }
    // Zeros stand behind the last number: they are below every bound.
    long rest = BitLanes.rest(data, offset + whole, length - whole) & ~signs;
    nonfinite += Long.bitCount((rest + toInfinity) & signs);
    normal += Long.bitCount((rest + toNormal) & signs);
    long nans = nonfinite == 0 ? 0 : atLeast(toNan, data, offset, elements);
    long zeros = normal == elements ? 0 : zeros(data, offset, elements);
    return new Counts(nans, nonfinite - nans, zeros, elements - normal - zeros);
  }

  long infinities(byte[] data, int offset, int elements) {
    long nonfinite = atLeast(toInfinity, data, offset, elements);
    return nonfinite == 0 ? 0 : nonfinite - atLeast(toNan, data, offset, elements);
  }

  /** How many are zero, of both signs. */
  long zeros(byte[] data, int offset, int elements) {
    return elements - atLeast(toNonzero, data, offset, elements);
  }

  /** Index of the first one that is NaN or infinite; {@code elements} if there is none. */
  int firstNonfinite(byte[] data, int offset, int elements) {
    for (int i = 0; i < elements; i++) {
      if (atLeast(toInfinity, data, offset + i * bytes, 1) > 0) {
        return i;
      }
    }
    return elements;
  }

  private long atLeast(long missing, byte[] data, int offset, int elements) {
    int length = elements * bytes;
    int whole = length & -Long.BYTES;
    long count = 0;
    for (int i = 0; i < whole; i += Long.BYTES) {
      long numbers = (long) LONGS.get(data, offset + i) & ~signs;
      count += Long.bitCount((numbers + missing) & signs);
    }
    // Zeros stand behind the last number: they are below every bound.
    long rest = BitLanes.rest(data, offset + whole, length - whole) & ~signs;
    return count + Long.bitCount((rest + missing) & signs);
  }
}
