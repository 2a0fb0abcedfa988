package dev.reweave.tensor;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.math.BigDecimal;
import java.util.Arrays;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;

/** Held to a model that takes each number by itself and halves it until it is below two. */
class ValueHistogramTest {
  /** Every second element is of a usual size, the others are any bits. */
  private static byte[] data(DType type, int elements, long seed) {
    Random random = new Random(seed);
    byte[] data = new byte[elements * type.bytes()];
    random.nextBytes(data);
    if (type == DType.F32 || type == DType.F64) {
      for (int i = 0; i < elements; i += 2) {
        double value = i % 6 == 0 ? 0.0 : random.nextGaussian() * 0.02;
        long bits =
            type == DType.F32
                ? Float.floatToRawIntBits((float) value)
                : Double.doubleToRawLongBits(value);
        for (int b = 0; b < type.bytes(); b++) {
          data[i * type.bytes() + b] = (byte) (bits >>> (8 * b));
        }
      }
    }
    return data;
  }

  private static int exponent(double magnitude) {
    BigDecimal rest = new BigDecimal(magnitude);
    BigDecimal two = BigDecimal.valueOf(2);
    int exponent = 0;
    for (; rest.compareTo(two) >= 0 && exponent < 7; exponent++) {
      rest = rest.divide(two);
    }
    for (; rest.compareTo(BigDecimal.ONE) < 0 && exponent > -24; exponent--) {
      rest = rest.multiply(two);
    }
    return exponent;
  }

  private static long[] model(DType type, byte[] data) {
    int elements = data.length / type.bytes();
    double[] numbers = new double[elements];
    Numbers.read(type, data, 0, numbers, elements);
    long[] bins = new long[64];
    for (double x : numbers) {
      if (x != 0 && Double.isFinite(x)) {
        int above = exponent(Math.abs(x)) + 24;
        bins[x < 0 ? 31 - above : 32 + above]++;
      }
    }
    return bins;
  }

  @Property(tries = 300)
  void partsAddUpInAnyOrder(
      @ForAll DType type, @ForAll @IntRange(min = 1, max = 5000) int elements, @ForAll long seed) {
    if (type.isPacked() || type == DType.C64) {
      return;
    }
    byte[] data = data(type, elements, seed);
    ValueHistogram whole = ValueHistogram.of(type, data, 0, elements);
    Random random = new Random(seed);
    int first = random.nextInt(elements + 1);
    int second = first + random.nextInt(elements - first + 1);
    ValueHistogram a = ValueHistogram.of(type, data, 0, first);
    ValueHistogram b = ValueHistogram.of(type, data, first * type.bytes(), second - first);
    ValueHistogram c = ValueHistogram.of(type, data, second * type.bytes(), elements - second);

    assertArrayEquals(model(type, data), whole.counts());
    assertEquals(whole, a.plus(b).plus(c));
    assertEquals(whole, c.plus(a.plus(b)));
    assertEquals(whole, b.plus(c).plus(a).plus(ValueHistogram.NONE));
    TensorStatistics statistics = TensorStatistics.of(type, data, 0, elements);
    assertEquals(
        statistics.elements() - statistics.zeros() - statistics.nans() - statistics.infinities(),
        Arrays.stream(whole.counts()).sum());
  }

  @Property(tries = 1)
  void whatHasNoOneValueIsNotCounted() {
    assertEquals(ValueHistogram.NONE, ValueHistogram.of(DType.C64, new byte[16], 0, 2));
    assertEquals(ValueHistogram.NONE, ValueHistogram.of(DType.F4, new byte[16], 0, 16));
  }
}
