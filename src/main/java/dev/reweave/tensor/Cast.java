package dev.reweave.tensor;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Objects;

/**
 * Conversion of little-endian elements from one type to another, bit for bit what {@code
 * torch.Tensor.to} gives on an x86 processor.
 *
 * <p>Rounding is to nearest even. Between F64 and the 16-bit types the value goes through F32, so
 * that F64 is rounded twice, as torch does. NaNs stay NaNs: to BF16, from F32 and F64, all become
 * {@code 0xffff}, and from F16 {@code 0x7fc0}; otherwise they become quiet and keep their sign and
 * what fits of their payload; those of 8 bits become {@code 0x7fc0} in BF16, and what {@link
 * Float8} tells otherwise; but BF16 to F32 is a shift, which leaves signalling ones as they are.
 * That is what torch's vectorised loops give (seen with torch 2.13 and AVX-512): for the few
 * elements behind the last whole vector of a tensor, torch gives {@code 0x7fc0} for a NaN from F64
 * to BF16, and {@code 0x7fffffff} with the NaN's sign from F16 to F32.
 */
public final class Cast {
  private static final VarHandle SHORTS = view(short[].class);
  private static final VarHandle INTS = view(int[].class);
  private static final VarHandle LONGS = view(long[].class);

  /** Numbers of which some are made anew if one of them is NaN. */
  private static final int ROUNDED_AT_ONCE = 4096;

  private static final long MAGNITUDES = 0x7fffffff_7fffffffL;

  /** What the least NaN of a float lacks to the bit of the sign. */
  private static final long TO_NAN = 0x007fffff_007fffffL;

  /** A loop over whole arrays. Each cast has its own, so that each is compiled for itself. */
  @FunctionalInterface
  private interface Loop {
    void run(byte[] in, int inOffset, byte[] out, int outOffset, int elements);
  }

  private final DType from;
  private final DType to;
  private final Loop loop;

  private Cast(DType from, DType to, Loop loop) {
    this.from = from;
    this.to = to;
    this.loop = loop;
  }

  private static VarHandle view(Class<?> array) {
    return MethodHandles.byteArrayViewVarHandle(array, ByteOrder.LITTLE_ENDIAN);
  }

  /**
   * The conversion between two types; a plain copy if they are the same.
   *
   * @throws IllegalArgumentException if they differ and one of them is not {@link
   *     DType#isCastable() castable}, but for floating point of 8 bits, which can be widened
   */
  public static Cast between(DType from, DType to) {
    if (from == to) {
      int bytes = from.bytes();
      return new Cast(from, to, (in, i, out, o, n) -> System.arraycopy(in, i, out, o, n * bytes));
    }
    if (from.isFloat8() && to.isCastable()) {
      return new Cast(from, to, ofFloat8(from, to));
    }
    if (!from.isCastable() || !to.isCastable()) {
      throw new IllegalArgumentException("no cast from " + from + " to " + to);
    }
    Loop loop =
        switch (from) {
          case F16 -> ofHalf(to);
          case BF16 -> ofBfloat16(to);
          case F32 -> ofFloat(to);
          default -> ofDouble(to);
        };
    return new Cast(from, to, loop);
  }

  /** Type of what goes in. */
  public DType from() {
    return from;
  }

  /** Type of what comes out. */
  public DType to() {
    return to;
  }

  /** Whether the bytes stay as they are. */
  public boolean isCopy() {
    return from == to;
  }

  /**
   * Converts elements. The input and output ranges must not overlap.
   *
   * @param inOffset first byte to read
   * @param outOffset first byte to write
   * @param elements how many to convert; an element takes {@link DType#bytes()} of its type
   * @throws IndexOutOfBoundsException if they do not fit in the arrays
   */
  public void apply(byte[] in, int inOffset, byte[] out, int outOffset, int elements) {
    Objects.checkFromIndexSize((long) inOffset, (long) elements * from.bytes(), in.length);
    Objects.checkFromIndexSize((long) outOffset, (long) elements * to.bytes(), out.length);
    loop.run(in, inOffset, out, outOffset, elements);
  }

  /**
   * Reverses the bytes of each big-endian element in place. The two halves of a complex number are
   * reversed each for itself.
   *
   * @param offset first byte
   * @throws IndexOutOfBoundsException if the elements do not fit in the array
   */
  public static void toLittleEndian(DType type, byte[] data, int offset, int elements) {
    long bytes = (long) elements * type.bytes();
    Objects.checkFromIndexSize((long) offset, bytes, data.length);
    int end = offset + (int) bytes;
    switch (type == DType.C64 ? Integer.BYTES : type.bytes()) {
      case Short.BYTES -> {
        for (int i = offset; i < end; i += Short.BYTES) {
          SHORTS.set(data, i, Short.reverseBytes((short) SHORTS.get(data, i)));
        }
      }
      case Integer.BYTES -> {
        for (int i = offset; i < end; i += Integer.BYTES) {
          INTS.set(data, i, Integer.reverseBytes((int) INTS.get(data, i)));
        }
      }
      case Long.BYTES -> {
        for (int i = offset; i < end; i += Long.BYTES) {
          LONGS.set(data, i, Long.reverseBytes((long) LONGS.get(data, i)));
        }
      }
      default -> {}
    }
  }

  private static Loop ofFloat8(DType from, DType to) {
    int[] floats = Float8.floats(from);
    return switch (to) {
      case F16 ->
          (in, i, out, o, n) -> {
            for (int k = 0; k < n; k++) {
              int bits = floats[in[i + k] & 0xFF];
              SHORTS.set(out, o + 2 * k, (short) FloatBits.floatToHalf(bits));
            }
          };
      case BF16 ->
          (in, i, out, o, n) -> {
            for (int k = 0; k < n; k++) {
              int bits = floats[in[i + k] & 0xFF];
              SHORTS.set(out, o + 2 * k, (short) Float8.toBfloat16(bits));
            }
          };
      case F32 ->
          (in, i, out, o, n) -> {
            for (int k = 0; k < n; k++) {
              INTS.set(out, o + 4 * k, floats[in[i + k] & 0xFF]);
            }
          };
      default ->
          (in, i, out, o, n) -> {
            for (int k = 0; k < n; k++) {
              LONGS.set(out, o + 8 * k, FloatBits.floatToDouble(floats[in[i + k] & 0xFF]));
            }
          };
    };
  }

  private static Loop ofFloat(DType to) {
    return switch (to) {
      case F16 ->
          (in, i, out, o, n) -> {
            for (int k = 0; k < n; k++) {
              int bits = (int) INTS.get(in, i + 4 * k);
              SHORTS.set(out, o + 2 * k, (short) FloatBits.floatToHalf(bits));
            }
          };
      case BF16 -> Cast::floatsToBfloat16s;
      default ->
          (in, i, out, o, n) -> {
            for (int k = 0; k < n; k++) {
              int bits = (int) INTS.get(in, i + 4 * k);
              LONGS.set(out, o + 8 * k, FloatBits.floatToDouble(bits));
            }
          };
    };
  }

  /**
   * Four numbers at a time, two in a long: what is added to round one never carries into the next,
   * but of NaNs, which are looked for on the way and are rare.
   */
  private static void floatsToBfloat16s(byte[] in, int i, byte[] out, int o, int n) {
    int at = 0;
    while (at < n) {
      int end = Math.min(n, at + ROUNDED_AT_ONCE);
      int whole = at + ((end - at) & -4);
      long nans = 0;
      for (int k = at; k < whole; k += 4) {
        long low = (long) LONGS.get(in, i + 4 * k);
        long high = (long) LONGS.get(in, i + 4 * k + 8);
        nans |= ((low & MAGNITUDES) + TO_NAN) | ((high & MAGNITUDES) + TO_NAN);
        LONGS.set(out, o + 2 * k, rounded(low) | (rounded(high) << 32));
      }
      for (int k = (nans & ~MAGNITUDES) == 0 ? whole : at; k < end; k++) {
        int bits = (int) INTS.get(in, i + 4 * k);
        SHORTS.set(out, o + 2 * k, (short) FloatBits.floatToBfloat16(bits));
      }
      at = end;
    }
  }

  /** The high halves of two numbers, rounded to nearest even, as the low half of a long. */
  private static long rounded(long pair) {
    long sum = pair + 0x00007fff_00007fffL + ((pair >>> 16) & 0x00000001_00000001L);
    return ((sum >>> 16) & 0xffff) | ((sum >>> 32) & 0xffff0000L);
  }

  private static Loop ofDouble(DType to) {
    return switch (to) {
      case F16 ->
          (in, i, out, o, n) -> {
            for (int k = 0; k < n; k++) {
              int bits = FloatBits.doubleToFloat((long) LONGS.get(in, i + 8 * k));
              SHORTS.set(out, o + 2 * k, (short) FloatBits.floatToHalf(bits));
            }
          };
      case BF16 ->
          (in, i, out, o, n) -> {
            for (int k = 0; k < n; k++) {
              int bits = FloatBits.doubleToFloat((long) LONGS.get(in, i + 8 * k));
              SHORTS.set(out, o + 2 * k, (short) FloatBits.floatToBfloat16(bits));
            }
          };
      default ->
          (in, i, out, o, n) -> {
            for (int k = 0; k < n; k++) {
              long bits = (long) LONGS.get(in, i + 8 * k);
              INTS.set(out, o + 4 * k, FloatBits.doubleToFloat(bits));
            }
          };
    };
  }

  private static Loop ofHalf(DType to) {
    return switch (to) {
      case BF16 ->
          (in, i, out, o, n) -> {
            for (int k = 0; k < n; k++) {
              int bits = (short) SHORTS.get(in, i + 2 * k);
              SHORTS.set(out, o + 2 * k, (short) FloatBits.halfToBfloat16(bits));
            }
          };
      case F32 ->
          (in, i, out, o, n) -> {
            for (int k = 0; k < n; k++) {
              int bits = (short) SHORTS.get(in, i + 2 * k);
              INTS.set(out, o + 4 * k, FloatBits.halfToFloat(bits));
            }
          };
      default ->
          (in, i, out, o, n) -> {
            for (int k = 0; k < n; k++) {
              int bits = FloatBits.halfToFloat((short) SHORTS.get(in, i + 2 * k));
              LONGS.set(out, o + 8 * k, FloatBits.floatToDouble(bits));
            }
          };
    };
  }

  private static Loop ofBfloat16(DType to) {
    return switch (to) {
      case F16 ->
          (in, i, out, o, n) -> {
            for (int k = 0; k < n; k++) {
              int bits = FloatBits.bfloat16ToFloat((short) SHORTS.get(in, i + 2 * k));
              SHORTS.set(out, o + 2 * k, (short) FloatBits.floatToHalf(bits));
            }
          };
      case F32 ->
          (in, i, out, o, n) -> {
            for (int k = 0; k < n; k++) {
              int bits = (short) SHORTS.get(in, i + 2 * k);
              INTS.set(out, o + 4 * k, FloatBits.bfloat16ToFloat(bits));
            }
          };
      default ->
          (in, i, out, o, n) -> {
            for (int k = 0; k < n; k++) {
              int bits = FloatBits.bfloat16ToFloat((short) SHORTS.get(in, i + 2 * k));
              LONGS.set(out, o + 8 * k, FloatBits.floatToDouble(bits));
            }
          };
    };
  }
}
