package dev.reweave.tensor;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Sums with products of thin matrices, against a straight-line model. */
class ProductsTest {
  private static final double SCALE = 1.75;

  private final Random random = new Random(5);

  /** Numbers of a type: what becomes of random ones that are rounded to it. */
  private byte[] numbers(DType type, int count) {
    byte[] wide = new byte[8 * count];
    ByteBuffer buffer = ByteBuffer.wrap(wide).order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < count; i++) {
      buffer.putDouble(random.nextGaussian());
    }
    byte[] rounded = new byte[count * type.bytes()];
    Cast.between(DType.F64, type).apply(wide, 0, rounded, 0, count);
    return rounded;
  }

  private static double[] read(DType type, byte[] data, int count) {
    double[] numbers = new double[count];
    Numbers.read(type, data, 0, numbers, count);
    return numbers;
  }

  private static Layout layout(DType type, long elements) {
    StorageRef storage =
        new StorageRef(
            0, "s", 0, type, elements, StorageRef.Endian.LITTLE, StorageRef.CRC_LEFT_OUT);
    return StoredLayout.contiguous(storage, 0, Shape.of(elements));
  }

  /** Two thin matrices for each of several matrices, and what is added to. */
  private final class Case {
    private final DType base;
    private final DType factor;
    private final int matrices;
    private final int rows;
    private final int columns;
    private final int rank;
    private final byte[] weights;
    private final byte[] left;
    private final byte[] right;
    private final LowRank product;

    Case(DType base, DType factor, int matrices, int rows, int columns, int rank) {
      this.base = base;
      this.factor = factor;
      this.matrices = matrices;
      this.rows = rows;
      this.columns = columns;
      this.rank = rank;
      this.weights = numbers(base, matrices * rows * columns);
      this.left = numbers(factor, matrices * rows * rank);
      this.right = numbers(factor, matrices * rank * columns);
      Layout ofLeft = layout(factor, (long) matrices * rows * rank);
      Layout ofRight = layout(factor, (long) matrices * rank * columns);
      this.product =
          new LowRank(
              ofLeft,
              ofRight,
              List.of(ofLeft, ofRight),
              new LowRank.Lengths(rows, columns, rank),
              SCALE);
    }

    double[] expected() {
      double[] w = read(base, weights, matrices * rows * columns);
      double[] l = read(factor, left, matrices * rows * rank);
      double[] r = read(factor, right, matrices * rank * columns);
      for (int m = 0; m < matrices; m++) {
        for (int i = 0; i < rows; i++) {
          for (int j = 0; j < columns; j++) {
            float sum = 0;
            for (int k = 0; k < rank; k++) {
              float factor = (float) l[(m * rows + i) * rank + k];
              sum = Math.fma(factor, (float) r[(m * rank + k) * columns + j], sum);
            }
            int at = (m * rows + i) * columns + j;
            w[at] = (float) w[at] + (float) SCALE * sum;
          }
        }
      }
      return w;
    }

    /** Elements {@code [from, to)}, with the right matrix so many columns at a time. */
    double[] made(int from, int to, int width) {
      DType type = DType.F32;
      int count = to - from;
      byte[] data = new byte[3 + count * type.bytes()];
      int stored = 3 + count * (type.bytes() - base.bytes());
      System.arraycopy(weights, from * base.bytes(), data, stored, count * base.bytes());
      Products.widen(base, data, 3, count);
      LowRank.Range rowsLeft = product.leftOf(from, to);
      byte[] by = new byte[rowsLeft.count() * factor.bytes()];
      System.arraycopy(left, (int) rowsLeft.from() * factor.bytes(), by, 0, by.length);
      Products.Elements elements = new Products.Elements(data, 3, from, count, by);
      Products products = new Products(product);
      for (long m = product.matrixOf(from); m <= product.matrixOf(to - 1); m++) {
        for (int first = 0; first < columns; first += width) {
          products.add(elements, columns((int) m, first, Math.min(width, columns - first)));
        }
      }
      byte[] values = new byte[count * type.bytes()];
      System.arraycopy(data, 3, values, 0, values.length);
      return read(type, values, count);
    }

    private Products.Columns columns(int matrix, int first, int count) {
      byte[] some = new byte[rank * count * factor.bytes()];
      for (int k = 0; k < rank; k++) {
        System.arraycopy(
            right,
            ((matrix * rank + k) * columns + first) * factor.bytes(),
            some,
            k * count * factor.bytes(),
            count * factor.bytes());
      }
      return new Products.Columns(matrix, first, count, some);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "F32, F32, 1, 5, 7, 3",
    "BF16, F32, 1, 5, 7, 3",
    "F16, BF16, 3, 4, 6, 2",
    "F32, F16, 2, 3, 5, 4",
    "BF16, F16, 1, 3, 1, 2",
    "F32, BF16, 1, 1, 2500, 3",
    "BF16, F32, 2, 3, 40, 5000",
  })
  void eachElementIsItsSum(
      DType base, DType factor, int matrices, int rows, int columns, int rank) {
    Case some = new Case(base, factor, matrices, rows, columns, rank);
    double[] expected = some.expected();
    assertArrayEquals(expected, some.made(0, expected.length, columns));
    assertArrayEquals(expected, some.made(0, expected.length, Math.max(1, columns / 3)));
  }

  /** Wherever a window begins and ends, an element is the same. */
  @Test
  void partsOfRowsAreWhatTheyAreInTheWhole() {
    Case some = new Case(DType.BF16, DType.F32, 2, 3, 5, 2);
    double[] expected = some.expected();
    for (int from = 0; from < expected.length; from++) {
      for (int to = from + 1; to <= expected.length; to++) {
        double[] part = Arrays.copyOfRange(expected, from, to);
        assertArrayEquals(part, some.made(from, to, 5));
        assertArrayEquals(part, some.made(from, to, 2));
      }
    }
  }

  @Test
  void whatIsReadBesideAnElementIsCounted() {
    LowRank product = new Case(DType.BF16, DType.F32, 1, 5, 7, 3).product;
    // A row of three numbers of four bytes for seven elements.
    assertEquals(2, product.besides());
    MergedLayout merged = new MergedLayout(layout(DType.BF16, 35), product);
    assertEquals(2, merged.besides());
    assertEquals(35 * 2 + (5 + 7) * 3 * 4, merged.storedBytes());
  }

  @Test
  void matricesOfOtherLengthsAreNone() {
    Layout left = layout(DType.F32, 12);
    Layout right = layout(DType.F32, 15);
    LowRank.Lengths lengths = new LowRank.Lengths(4, 6, 3);
    assertThrows(
        IllegalArgumentException.class, () -> new LowRank(left, right, List.of(), lengths, 1));
    assertThrows(IllegalArgumentException.class, () -> new LowRank.Lengths(4, 6, 1 << 17));
  }
}
