package dev.reweave.tensor;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Objects;

/**
 * Adds products of thin matrices to elements, all in F32: the products of a sum one after another,
 * each added with one rounding, as matrix products of torch do on processors of today; then the
 * scale, then the element, as {@code get_delta_weight} and {@code merge} of PEFT do.
 */
public final class Products {
  private static final VarHandle SHORTS = view(short[].class);
  private static final VarHandle INTS = view(int[].class);

  /** Numbers of the right matrix that are at hand for all rows: half of a usual cache. */
  private static final int TILE = 1 << 17;

  private static final int LEAST_COLUMNS = 16;
  private static final int MOST_COLUMNS = 1024;

  private final LowRank product;
  private final float[][] right;
  private final float[] left;
  private final float[] sums;

  /** Additions of this product. */
  public Products(LowRank product) {
    int tile = Math.max(LEAST_COLUMNS, Math.min(MOST_COLUMNS, TILE / product.rank()));
    this.product = product;
    this.right = new float[product.rank()][(int) Math.min(tile, product.columns())];
    this.left = new float[product.rank()];
    this.sums = new float[right[0].length];
  }

  private static VarHandle view(Class<?> array) {
    return MethodHandles.byteArrayViewVarHandle(array, ByteOrder.LITTLE_ENDIAN);
  }

  /** Columns of the right matrix of one matrix, all rows of them, one row after another. */
  public static final class Columns {
    private final long matrix;
    private final long first;
    private final int count;
    private final byte[] data;

    /**
     * Columns that were read.
     *
     * @param first of the columns
     * @param count how many
     * @param data the numbers as they are stored, little-endian; there can be more behind them
     */
    public Columns(long matrix, long first, int count, byte[] data) {
      this.matrix = matrix;
      this.first = first;
      this.count = count;
      this.data = data;
    }

    /** Whether these are those columns of that matrix. */
    public boolean are(long ofMatrix, long from, int many) {
      return matrix == ofMatrix && first == from && count == many;
    }
  }

  /** Elements of the tensor in a buffer, and the rows of the left matrix for them. */
  public static final class Elements {
    private final byte[] data;
    private final int offset;
    private final long from;
    private final int count;
    private final byte[] left;

    /**
     * Elements as F32, little-endian.
     *
     * @param offset their first byte
     * @param from index of the first one in the tensor
     * @param left what {@link LowRank#leftOf} tells, as it is stored
     */
    public Elements(byte[] data, int offset, long from, int count, byte[] left) {
      this.data = data;
      this.offset = offset;
      this.from = from;
      this.count = count;
      this.left = left;
    }

    /** Index of the first one. */
    public long first() {
      return from;
    }

    /** Index of the last one. */
    public long last() {
      return from + count - 1;
    }
  }

  /**
   * Makes 16-bit elements wider, in place, where they are at the end of the room for them.
   *
   * @param offset of that room, which has 4 bytes for each element
   */
  public static void widen(DType type, byte[] data, int offset, int count) {
    Objects.checkFromIndexSize((long) offset, 4L * count, data.length);
    if (type != DType.F16 && type != DType.BF16) {
      return;
    }
    int source = offset + 2 * count;
    for (int i = 0; i < count; i++) {
      int bits = (short) SHORTS.get(data, source + 2 * i);
      int wide = type == DType.F16 ? FloatBits.halfToFloat(bits) : FloatBits.bfloat16ToFloat(bits);
      INTS.set(data, offset + 4 * i, wide);
    }
  }

  /** Adds the product to those of the elements that are in these columns of this matrix. */
  public void add(Elements elements, Columns columns) {
    int size = product.right().dtype().bytes();
    for (int done = 0; done < columns.count; done += sums.length) {
      int count = Math.min(sums.length, columns.count - done);
      for (int k = 0; k < product.rank(); k++) {
        long at = ((long) k * columns.count + done) * size;
        Numbers.readFloats(
            product.right().dtype(), columns.data, Math.toIntExact(at), right[k], count);
      }
      addTile(elements, columns.matrix, columns.first + done, count);
    }
  }

  /** Row by row: of each what is among the elements and among the columns that are at hand. */
  private void addTile(Elements elements, long matrix, long first, int count) {
    long columns = product.columns();
    long start = Math.max(elements.from, product.startOf(matrix));
    long end = Math.min(elements.from + elements.count, product.startOf(matrix + 1));
    long firstRow = elements.from / columns;
    for (long row = start / columns; row * columns < end; row++) {
      long from = Math.max(row * columns + first, start);
      long to = Math.min(row * columns + first + count, end);
      if (from < to) {
        int skipped = (int) (from - row * columns - first);
        int length = (int) (to - from);
        sum(elements.left, row - firstRow, skipped, length);
        int at = elements.offset + (int) (from - elements.from) * Float.BYTES;
        store(elements.data, at, skipped, length);
      }
    }
  }

  private void sum(byte[] rows, long row, int from, int length) {
    DType type = product.left().dtype();
    int at = Math.toIntExact(row * product.rank() * type.bytes());
    Numbers.readFloats(type, rows, at, left, left.length);
    Arrays.fill(sums, from, from + length, 0);
    for (int k = 0; k < left.length; k++) {
      addTimes(left[k], right[k], sums, from, from + length);
    }
  }

  /** A loop of its own, so that it is compiled for itself. */
  private static void addTimes(float factor, float[] numbers, float[] sums, int from, int to) {
    for (int i = from; i < to; i++) {
      sums[i] = Math.fma(factor, numbers[i], sums[i]);
    }
  }

  private void store(byte[] data, int offset, int from, int length) {
    float scale = (float) product.scale();
    for (int i = 0; i < length; i++) {
      int at = offset + Float.BYTES * i;
      float value = Float.intBitsToFloat((int) INTS.get(data, at));
      INTS.set(data, at, Float.floatToRawIntBits(value + scale * sums[from + i]));
    }
  }
}
