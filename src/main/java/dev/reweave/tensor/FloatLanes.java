package dev.reweave.tensor;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/**
 * Counts of floating-point numbers by their bits, in loops that the compiler makes vectors of.
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

  /** Longs whose lanes can be summed up: sixteen bits count as far. */
  private static final int MOST_LONGS = 0xFFFF;

  private final int bits;
  private final int bytes;
  private final long signs;
  private final long toInfinity;
  private final long toNan;
  private final long toNormal;
  private final long toNonzero;

  FloatLanes(int bits, long infinity, long leastNormal) {
    this.bits = bits;
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

  private static final Counts NONE = new Counts(0, 0, 0, 0);

  Counts count(byte[] data, int offset, int elements) {
    // Most numbers are normal: what the others are is looked at where there are any.
    if (areNormal(data, offset, elements)) {
      return NONE;
    }
    boolean finite = (any(toInfinity, data, offset, elements) & signs) == 0;
    long nonfinite = finite ? 0 : atLeast(toInfinity, data, offset, elements);
    long nans = finite ? 0 : atLeast(toNan, data, offset, elements);
    long normal = atLeast(toNormal, data, offset, elements);
    long zeros = normal == elements ? 0 : zeros(data, offset, elements);
    return new Counts(nans, nonfinite - nans, zeros, elements - normal - zeros);
  }

  /** Whether all are finite, and none is zero or subnormal; two longs at a time. */
  private boolean areNormal(byte[] data, int offset, int elements) {
    long magnitudes = ~signs;
    int length = elements * bytes;
    int whole = length & -2 * Long.BYTES;
    long above = 0;
    long below = -1;
    for (int i = 0; i < whole; i += 2 * Long.BYTES) {
      long first = (long) LONGS.get(data, offset + i) & magnitudes;
      long second = (long) LONGS.get(data, offset + i + Long.BYTES) & magnitudes;
      above |= (first + toInfinity) | (second + toInfinity);
      below &= (first + toNormal) & (second + toNormal);
    }
    int rest = (length - whole) / bytes;
    return (above & signs) == 0
        && (below & signs) == signs
        && atLeast(toInfinity, data, offset + whole, rest) == 0
        && atLeast(toNormal, data, offset + whole, rest) == rest;
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

  /** With a sign's bit set in a lane if one number in that lane is from the bound on. */
  private long any(long missing, byte[] data, int offset, int elements) {
    long magnitudes = ~signs;
    int length = elements * bytes;
    int whole = length & -Long.BYTES;
    long any = 0;
    for (int i = 0; i < whole; i += Long.BYTES) {
      any |= ((long) LONGS.get(data, offset + i) & magnitudes) + missing;
    }
    return any | ((rest(data, offset + whole, length - whole) & magnitudes) + missing);
  }

  /** How many are from the bound on; {@code missing} is what it lacks to the sign's bit. */
  private long atLeast(long missing, byte[] data, int offset, int elements) {
    int length = elements * bytes;
    int whole = length & -Long.BYTES;
    long count = 0;
    for (int from = 0; from < whole; from += MOST_LONGS * Long.BYTES) {
      int stretch = Math.min(whole - from, MOST_LONGS * Long.BYTES);
      count += sum(lanes(missing, data, offset + from, stretch));
    }
    long last = (rest(data, offset + whole, length - whole) & ~signs) + missing;
    return count + Long.bitCount(last & signs);
  }

  /** A count in each lane, of so many whole longs that none of them overflows. */
  private long lanes(long missing, byte[] data, int offset, int length) {
    long sign = signs;
    int shift = bits - 1;
    long counts = 0;
    for (int i = 0; i < length; i += Long.BYTES) {
      counts += ((((long) LONGS.get(data, offset + i) & ~sign) + missing) & sign) >>> shift;
    }
    return counts;
  }

  private long sum(long lanes) {
    long lane = -1L >>> (Long.SIZE - bits);
    long sum = 0;
    for (int at = 0; at < Long.SIZE; at += bits) {
      sum += (lanes >>> at) & lane;
    }
    return sum;
  }

  /** What follows the last whole long; zeros stand behind it, which are below every bound. */
  private static long rest(byte[] data, int offset, int length) {
    return BitLanes.rest(data, offset, length);
  }
}
