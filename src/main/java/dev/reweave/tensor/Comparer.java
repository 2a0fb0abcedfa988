package dev.reweave.tensor;

import java.util.Arrays;

/**
 * Tells how far elements of two tensors are apart. What a tensor comes to is the same however it is
 * cut, as long as every part but the last starts and ends at a multiple of {@link #BLOCK} elements.
 */
public final class Comparer {
  /** Elements whose sums are taken at once. */
  public static final int BLOCK = 4096;

  private static final int MOST_NUMBERS = 2 * BLOCK;

  private final double[] ofFirst = new double[MOST_NUMBERS];
  private final double[] ofSecond = new double[MOST_NUMBERS];
  private final double[] differences = new double[MOST_NUMBERS];
  private final byte[] cast = new byte[BLOCK * Long.BYTES];

  /** Elements of one type in memory, little-endian. */
  public static final class Elements {
    private final DType type;
    private final byte[] data;
    private final int offset;

    /**
     * Elements in a buffer, which is not copied.
     *
     * @param offset of their first byte
     */
    public Elements(DType type, byte[] data, int offset) {
      this.type = type;
      this.data = data;
      this.offset = offset;
    }

    private Elements from(int element) {
      return new Elements(type, data, offset + element * type.bytes());
    }

    private long bits(int number, int bytes) {
      return Numbers.bits(data, offset + number * bytes, bytes);
    }
  }

  /**
   * Whether elements of these types can be compared: complex ones with complex ones alone, and
   * those that share bytes with those of the same type, a byte as one number.
   */
  public static boolean compares(DType first, DType second) {
    return first == second
        || (Numbers.perElement(first) == Numbers.perElement(second)
            && !first.isPacked()
            && !second.isPacked());
  }

  /**
   * Compares.
   *
   * @param count how many elements
   * @param at index of the first of them in the tensor, a multiple of {@link #BLOCK}
   */
  public Deviation compare(Elements first, Elements second, int count, long at) {
    Deviation all = Deviation.NONE;
    for (int done = 0; done < count; done += BLOCK) {
      int elements = Math.min(BLOCK, count - done);
      all = all.plus(block(first.from(done), second.from(done), elements, at + done));
    }
    return all;
  }

  private Deviation block(Elements a, Elements b, int elements, long at) {
    int perElement = Numbers.perElement(a.type);
    int count = elements * perElement;
    Numbers.read(a.type, a.data, a.offset, ofFirst, count);
    Numbers.read(b.type, b.data, b.offset, ofSecond, count);
    subtract(a, b, count);
    Deviation found = numbers(count, at, perElement);
    return found.withUnequal(
        a.type == b.type
            ? differentBits(a, b, count)
            : unequalAfterCast(a, b, count, found.differing()));
  }

  private void subtract(Elements a, Elements b, int count) {
    boolean isLong = a.type == DType.I64 || a.type == DType.U64;
    if (isLong && a.type == b.type) {
      // As doubles, neighbouring large integers would be the same.
      for (int i = 0; i < count; i++) {
        differences[i] = Numbers.apart(a.type, a.bits(i, Long.BYTES), b.bits(i, Long.BYTES));
      }
    } else {
      for (int i = 0; i < count; i++) {
        differences[i] = ofFirst[i] - ofSecond[i];
      }
    }
  }

  /** What numbers come to, but for their bits. */
  private Deviation numbers(int count, long at, int perElement) {
    long differing = 0;
    long nanInFirst = 0;
    long nanInSecond = 0;
    long infinite = 0;
    double absolute = 0;
    int farthest = -1;
    double relative = 0;
    double squares = 0;
    double otherSquares = 0;
    double products = 0;
    double squaredDifferences = 0;
    for (int i = 0; i < count; i++) {
      double x = ofFirst[i];
      double y = ofSecond[i];
      double difference = differences[i];
      boolean finite = Double.isFinite(x) && Double.isFinite(y);
      if (finite) {
        squares += x * x;
        otherSquares += y * y;
        products += x * y;
        squaredDifferences += difference * difference;
      }
      if (finite ? difference == 0 : areSame(x, y)) {
        continue;
      }
      differing++;
      if (Double.isNaN(x)) {
        nanInFirst++;
      } else if (Double.isNaN(y)) {
        nanInSecond++;
      } else {
        infinite += finite ? 0 : 1;
        double apart = Math.abs(difference);
        double part = apart / Math.max(Math.abs(x), Math.abs(y));
        relative = Math.max(relative, finite ? part : Double.POSITIVE_INFINITY);
        if (apart > absolute) {
          absolute = apart;
          farthest = i;
        }
      }
    }
    return new Deviation(
        count,
        0,
        differing,
        new Deviation.Broken(nanInFirst, nanInSecond, infinite),
        absolute,
        farthest < 0 ? -1 : at + farthest / perElement,
        relative,
        Deviation.Sums.of(squares, otherSquares, products, squaredDifferences));
  }

  private static boolean areSame(double x, double y) {
    return x == y || (Double.isNaN(x) && Double.isNaN(y));
  }

  private static long differentBits(Elements a, Elements b, int count) {
    int size = Numbers.bytes(a.type);
    int length = count * size;
    if (Arrays.equals(a.data, a.offset, a.offset + length, b.data, b.offset, b.offset + length)) {
      return 0;
    }
    long different = 0;
    for (int i = 0; i < count; i++) {
      different += a.bits(i, size) == b.bits(i, size) ? 0 : 1;
    }
    return different;
  }

  private long unequalAfterCast(Elements a, Elements b, int count, long differing) {
    if (differing == 0 || !a.type.isCastable() || !b.type.isCastable()) {
      return differing;
    }
    boolean castsFirst = a.type.bytes() >= b.type.bytes();
    Elements wider = castsFirst ? a : b;
    DType narrow = castsFirst ? b.type : a.type;
    Cast.between(wider.type, narrow).apply(wider.data, wider.offset, cast, 0, count);
    double[] made = castsFirst ? ofFirst : ofSecond;
    Numbers.read(narrow, cast, 0, made, count);
    long unequal = 0;
    for (int i = 0; i < count; i++) {
      unequal += areSame(ofFirst[i], ofSecond[i]) ? 0 : 1;
    }
    return unequal;
  }
}
