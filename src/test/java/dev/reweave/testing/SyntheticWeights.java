package dev.reweave.testing;

import dev.reweave.tensor.Cast;
import dev.reweave.tensor.DType;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;

/** Values of parameters that can be computed one by one, and storages full of them. */
final class SyntheticWeights {
  /** Stands for a parameter where elements belong to none; they are NaN, so that leaks show. */
  static final int PADDING = -1;

  /** Consecutive elements of one parameter. */
  record Segment(int param, long first, long elements) {}

  private static final VarHandle INTS =
      MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);
  private static final Cast TO_BF16 = Cast.between(DType.F32, DType.BF16);
  private static final int NAN = 0x7fc00000;

  private final long seed;

  SyntheticWeights(long seed) {
    this.seed = seed;
  }

  float value(int param, long element) {
    return Float.intBitsToFloat(bits(start(param), element));
  }

  private long start(int param) {
    return (seed + param) * 0xd1342543de82ef95L;
  }

  /** A random sign and mantissa, and an exponent for a magnitude in [2^-11, 2^-7). */
  private static int bits(long start, long element) {
    long mixed = start + element * 0x9e3779b97f4a7c15L;
    mixed = (mixed ^ (mixed >>> 32)) * 0xbf58476d1ce4e5b9L;
    return ((int) (mixed >>> 32) & 0x81ffffff) | 0x3a000000;
  }

  /** A storage of these segments, as F32 or BF16. */
  StorageContent storage(DType dtype, List<Segment> segments) {
    long[] ends = new long[segments.size()];
    long end = 0;
    for (int i = 0; i < ends.length; i++) {
      end += segments.get(i).elements();
      ends[i] = end;
    }
    StorageContent.Filler floats =
        (position, block, length) -> fill(segments, ends, position / Float.BYTES, block, length);
    if (dtype == DType.F32) {
      return new StorageContent(dtype, end, floats);
    }
    if (dtype != DType.BF16) {
      throw new IllegalArgumentException("no weights of " + dtype);
    }
    return new StorageContent(
        dtype,
        end,
        (position, block, length) -> {
          byte[] wide = new byte[2 * length];
          floats.fill(2 * position, wide, wide.length);
          TO_BF16.apply(wide, 0, block, 0, length / dtype.bytes());
        });
  }

  private void fill(List<Segment> segments, long[] ends, long first, byte[] block, int length) {
    long at = first;
    int i = Arrays.binarySearch(ends, at);
    i = i < 0 ? -i - 1 : i + 1;
    for (int filled = 0; filled < length; i++) {
      Segment segment = segments.get(i);
      long skipped = at - (ends[i] - segment.elements());
      int elements = (int) Math.min(ends[i] - at, (length - filled) / Float.BYTES);
      fill(segment.param(), segment.first() + skipped, block, filled, elements);
      filled += elements * Float.BYTES;
      at += elements;
    }
  }

  private void fill(int param, long first, byte[] block, int offset, int elements) {
    long start = start(param);
    for (int k = 0; k < elements; k++) {
      int bits = param == PADDING ? NAN : bits(start, first + k);
      INTS.set(block, offset + Float.BYTES * k, bits);
    }
  }
}
