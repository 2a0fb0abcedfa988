package dev.reweave.tensor;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Objects;

/**
 * Little-endian elements of the copies that several ranks keep of one tensor: the first rank's in
 * one array, the others' end to end in another.
 */
public final class RankCopies {
  private static final VarHandle SHORTS = view(short[].class);
  private static final VarHandle INTS = view(int[].class);
  private static final VarHandle LONGS = view(long[].class);

  private final DType type;
  private final byte[] first;
  private final int firstOffset;
  private final byte[] others;
  private final int othersOffset;
  private final int elements;
  private final int count;

  /**
   * @param firstOffset where the first copy starts
   * @param othersOffset where the second copy starts
   * @param elements of one copy
   * @param count number of copies
   * @throws IndexOutOfBoundsException if they do not fit in the arrays
   */
  public RankCopies(
      DType type,
      byte[] first,
      int firstOffset,
      byte[] others,
      int othersOffset,
      int elements,
      int count) {
    this.type = type;
    this.first = first;
    this.firstOffset = firstOffset;
    this.others = others;
    this.othersOffset = othersOffset;
    this.elements = elements;
    this.count = count;
    long bytes = (long) elements * type.bytes();
    Objects.checkFromIndexSize((long) firstOffset, bytes, first.length);
    Objects.checkFromIndexSize((long) othersOffset, bytes * (count - 1), others.length);
  }

  private static VarHandle view(Class<?> array) {
    return MethodHandles.byteArrayViewVarHandle(array, ByteOrder.LITTLE_ENDIAN);
  }

  /** Number of elements whose bits are not the same in all copies. */
  public long differences() {
    int size = type.bytes();
    int bytes = elements * size;
    boolean[] differs = new boolean[elements];
    long differences = 0;
    for (int c = 0; c < count - 1; c++) {
      int start = othersOffset + c * bytes;
      int at = 0;
      while (at < bytes) {
        int next =
            Arrays.mismatch(
                first, firstOffset + at, firstOffset + bytes, others, start + at, start + bytes);
        if (next < 0) {
          break;
        }
        int element = (at + next) / size;
        differences += differs[element] ? 0 : 1;
        differs[element] = true;
        at = (element + 1) * size;
      }
    }
    return differences;
  }

  /**
   * Puts the mean in the place of the first copy: the sum from the first rank on, divided by their
   * number, as {@code sum(slices) / len(slices)} gives it. Elements narrower than F32 are summed
   * and divided as F32, and rounded once.
   */
  public void average() {
    int size = type.bytes();
    for (int e = 0; e < elements; e++) {
      int at = firstOffset + e * size;
      if (type == DType.F64) {
        // Python's sum starts with zero, which makes a negative zero positive.
        double sum = 0 + Double.longBitsToDouble((long) LONGS.get(first, at));
        for (int c = 0; c < count - 1; c++) {
          sum += Double.longBitsToDouble((long) LONGS.get(others, other(c, e)));
        }
        LONGS.set(first, at, Double.doubleToRawLongBits(sum / count));
      } else {
        float sum = 0 + value(first, at);
        for (int c = 0; c < count - 1; c++) {
          sum += value(others, other(c, e));
        }
        put(at, Float.floatToRawIntBits(sum / count));
      }
    }
  }

  private int other(int copy, int element) {
    return othersOffset + (copy * elements + element) * type.bytes();
  }

  private float value(byte[] data, int at) {
    return Float.intBitsToFloat(
        switch (type) {
          case F16 -> FloatBits.halfToFloat((short) SHORTS.get(data, at));
          case BF16 -> FloatBits.bfloat16ToFloat((short) SHORTS.get(data, at));
          default -> (int) INTS.get(data, at);
        });
  }

  private void put(int at, int bits) {
    switch (type) {
      case F16 -> SHORTS.set(first, at, (short) FloatBits.floatToHalf(bits));
      case BF16 -> SHORTS.set(first, at, (short) FloatBits.floatToBfloat16(bits));
      default -> INTS.set(first, at, bits);
    }
  }
}
