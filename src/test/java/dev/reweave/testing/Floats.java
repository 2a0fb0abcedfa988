package dev.reweave.testing;

import dev.reweave.tensor.DType;
import dev.reweave.tensor.Shape;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;

/** A small named tensor of F32 values, one after another in row-major order. */
public final class Floats {
  private final String name;
  private final Shape shape;
  private final float[] values;

  private Floats(String name, Shape shape, float[] values) {
    if (shape.elements() != values.length) {
      throw new IllegalArgumentException(name + " " + shape + " of " + values.length);
    }
    this.name = name;
    this.shape = shape;
    this.values = values;
  }

  /** A tensor of random values. */
  public static Floats random(String name, long seed, long... dims) {
    Shape shape = Shape.of(dims);
    SplittableRandom random = new SplittableRandom(seed ^ name.hashCode());
    float[] values = new float[Math.toIntExact(shape.elements())];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) (random.nextDouble() * 2 - 1);
    }
    return new Floats(name, shape, values);
  }

  /** A vector. */
  static Floats of(String name, float... values) {
    return new Floats(name, Shape.of(values.length), values);
  }

  public String name() {
    return name;
  }

  public Shape shape() {
    return shape;
  }

  public Floats renamed(String other) {
    return new Floats(other, shape, values);
  }

  /** All values times one number, plus another. */
  public Floats scaled(float by, float more) {
    float[] scaled = new float[values.length];
    for (int i = 0; i < scaled.length; i++) {
      scaled[i] = values[i] * by + more;
    }
    return new Floats(name, shape, scaled);
  }

  /** All values that the module has: those that BF16 can hold, nearest even. */
  public Floats asBfloat16() {
    float[] rounded = new float[values.length];
    for (int i = 0; i < rounded.length; i++) {
      rounded[i] = Float.intBitsToFloat(bfloat16(values[i]) << 16);
    }
    return new Floats(name, shape, rounded);
  }

  private static int bfloat16(float value) {
    int bits = Float.floatToRawIntBits(value);
    return (bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16;
  }

  /** Indexes {@code [from, to)} of a dimension. */
  public Floats cut(int dim, int from, int to) {
    List<Float> kept = new ArrayList<>();
    int inner = inner(dim);
    int length = (int) shape.dim(dim);
    for (int i = 0; i < values.length; i++) {
      int at = i / inner % length;
      if (at >= from && at < to) {
        kept.add(values[i]);
      }
    }
    long[] dims = shape.dims();
    dims[dim] = (long) to - from;
    return new Floats(name, Shape.of(dims), array(kept));
  }

  /** How many values one index of a dimension has in a row. */
  private int inner(int dim) {
    int inner = 1;
    for (int d = dim + 1; d < shape.rank(); d++) {
      inner *= (int) shape.dim(d);
    }
    return inner;
  }

  /** Rows of several tensors, one after another. */
  public static Floats rows(List<Floats> parts) {
    return joined(0, parts);
  }

  /** Several tensors, one after another along a dimension. */
  public static Floats joined(int dim, List<Floats> parts) {
    long[] dims = parts.get(0).shape.dims();
    int outer = 1;
    for (int d = 0; d < dim; d++) {
      outer *= (int) dims[d];
    }
    List<Float> all = new ArrayList<>();
    for (int o = 0; o < outer; o++) {
      for (Floats part : parts) {
        int row = (int) part.shape.dim(dim) * part.inner(dim);
        for (int i = o * row; i < (o + 1) * row; i++) {
          all.add(part.values[i]);
        }
      }
    }
    dims[dim] = parts.stream().mapToLong(part -> part.shape.dim(dim)).sum();
    return new Floats(parts.get(0).name, Shape.of(dims), array(all));
  }

  /** The mean, summed from the first tensor on. */
  public static Floats mean(List<Floats> copies) {
    Floats first = copies.get(0);
    float[] mean = new float[first.values.length];
    for (int i = 0; i < mean.length; i++) {
      float sum = 0;
      for (Floats copy : copies) {
        sum += copy.values[i];
      }
      mean[i] = sum / copies.size();
    }
    return new Floats(first.name, first.shape, mean);
  }

  /** All values divided by a number. */
  public Floats divided(float divisor) {
    float[] quotients = new float[values.length];
    for (int i = 0; i < quotients.length; i++) {
      quotients[i] = values[i] / divisor;
    }
    return new Floats(name, shape, quotients);
  }

  private static float[] array(List<Float> values) {
    float[] array = new float[values.size()];
    for (int i = 0; i < array.length; i++) {
      array[i] = values.get(i);
    }
    return array;
  }

  /** The values, and NaNs behind them or between them where an array is longer. */
  static float[] flat(List<Floats> tensors, int multiple) {
    List<Float> all = new ArrayList<>();
    for (Floats tensor : tensors) {
      for (float value : tensor.values) {
        all.add(value);
      }
    }
    while (all.size() % multiple != 0) {
      all.add(Float.NaN);
    }
    return array(all);
  }

  static StorageContent storage(float[] values, int from, int to) {
    ByteBuffer bytes =
        ByteBuffer.allocate((to - from) * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    for (float value : Arrays.copyOfRange(values, from, to)) {
      bytes.putFloat(value);
    }
    return StorageContent.of(DType.F32, bytes.array());
  }

  /** The values as the module has them. */
  StorageContent moduleStorage() {
    ByteBuffer bytes =
        ByteBuffer.allocate(values.length * Short.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    for (float value : values) {
      bytes.putShort((short) bfloat16(value));
    }
    return StorageContent.of(DType.BF16, bytes.array());
  }

  /** As {@link StoredTensors} tells of an F32 tensor. */
  public String described() {
    ByteBuffer bytes =
        ByteBuffer.allocate(values.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    for (float value : values) {
      bytes.putFloat(value);
    }
    return "F32 " + shape + " " + Fixtures.sha256(bytes.array());
  }
}
