package dev.reweave.testing;

import dev.reweave.tensor.DType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Floating-point elements counted one by one as Java's numbers, to compare with what is told. */
public record PlainCount(
    long nans, long infinities, long zeros, long subnormals, int firstNonfinite, boolean same) {

  /** Counts all elements of an array. */
  public static PlainCount of(DType type, byte[] content) {
    ByteBuffer bytes = ByteBuffer.wrap(content).order(ByteOrder.LITTLE_ENDIAN);
    long nans = 0;
    long infinities = 0;
    long zeros = 0;
    long subnormals = 0;
    int first = -1;
    boolean same = true;
    int size = type.bytes();
    for (int i = 0; i < content.length / size; i++) {
      double value = value(type, bytes, i);
      nans += Double.isNaN(value) ? 1 : 0;
      infinities += Double.isInfinite(value) ? 1 : 0;
      zeros += value == 0 ? 1 : 0;
      subnormals += value != 0 && Math.abs(value) < leastNormal(type) ? 1 : 0;
      first = first < 0 && !Double.isFinite(value) ? i : first;
      for (int b = 0; b < size; b++) {
        same &= content[i * size + b] == content[b];
      }
    }
    return new PlainCount(nans, infinities, zeros, subnormals, first, same);
  }

  /** One element as a number. */
  public static double value(DType type, ByteBuffer bytes, int element) {
    return switch (type) {
      case F64 -> bytes.getDouble(element * Double.BYTES);
      case F32 -> bytes.getFloat(element * Float.BYTES);
      case BF16 -> Float.intBitsToFloat(bytes.getShort(element * Short.BYTES) << 16);
      case F16 -> half(bytes.getShort(element * Short.BYTES));
      default -> throw new IllegalArgumentException(type.toString());
    };
  }

  private static double half(int bits) {
    int exponent = (bits >> 10) & 0x1F;
    int fraction = bits & 0x3FF;
    double magnitude =
        exponent == 0x1F
            ? (fraction == 0 ? Double.POSITIVE_INFINITY : Double.NaN)
            : exponent == 0
                ? Math.scalb((double) fraction, -24)
                : Math.scalb(1024.0 + fraction, exponent - 25);
    return bits < 0 ? -magnitude : magnitude;
  }

  private static double leastNormal(DType type) {
    return switch (type) {
      case F64 -> Double.MIN_NORMAL;
      case F32, BF16 -> Float.MIN_NORMAL;
      case F16 -> 0x1p-14;
      default -> throw new IllegalArgumentException(type.toString());
    };
  }
}
