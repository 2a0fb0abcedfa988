package dev.reweave.tensor;

import java.util.EnumMap;
import java.util.Map;

/** Counts of numbers that take one byte each, from how often each byte is there. */
final class ByteFloats {
  private static final int BYTES = 256;
  private static final Map<DType, double[]> VALUES = new EnumMap<>(DType.class);

  static {
    byte[] all = new byte[BYTES];
    for (int i = 0; i < BYTES; i++) {
      all[i] = (byte) i;
    }
    for (DType type : DType.values()) {
      if (type.isFloat8()) {
        double[] values = new double[BYTES];
        Numbers.read(type, all, 0, values, BYTES);
        VALUES.put(type, values);
      }
    }
  }

  private ByteFloats() {}

  static FloatLanes.Counts count(DType type, byte[] data, int offset, int elements) {
    int[] bytes = new int[BYTES];
    for (int i = offset; i < offset + elements; i++) {
      bytes[data[i] & 0xFF]++;
    }
    double[] values = VALUES.get(type);
    long nans = 0;
    long infinities = 0;
    long zeros = 0;
    long subnormals = 0;
    for (int bits = 0; bits < BYTES; bits++) {
      double value = Math.abs(values[bits]);
      nans += Double.isNaN(value) ? bytes[bits] : 0;
      infinities += Double.isInfinite(value) ? bytes[bits] : 0;
      zeros += value == 0 ? bytes[bits] : 0;
      subnormals += value > 0 && value < leastNormal(type) ? bytes[bits] : 0;
    }
    return new FloatLanes.Counts(nans, infinities, zeros, subnormals);
  }

  static int firstNonfinite(DType type, byte[] data, int offset, int elements) {
    double[] values = VALUES.get(type);
    for (int i = 0; i < elements; i++) {
      if (!Double.isFinite(values[data[offset + i] & 0xFF])) {
        return i;
      }
    }
    return elements;
  }

  /** By the specifications that {@link Numbers} names; E8M0 has no subnormal numbers. */
  private static double leastNormal(DType type) {
    return switch (type) {
      case F8_E5M2 -> 0x1p-14;
      case F8_E5M2FNUZ -> 0x1p-15;
      case F8_E4M3 -> 0x1p-6;
      case F8_E4M3FNUZ -> 0x1p-7;
      default -> 0;
    };
  }
}
