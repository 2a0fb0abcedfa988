package dev.reweave.tensor;

import java.util.Arrays;

/**
 * Tells how far elements of two tensors are apart. What a tensor comes to is the same however it is
 * cut, as long as every part but the last starts and ends at a multiple of {@link #BLOCK} elements.
 */
public final class Comparer {
  /** Elements whose sums are taken at once. */
  public static final int BLOCK = 4096;

  /** Blocks that are summed up at the same time: one alone would wait for each addition. */
  private static final int ABREAST = 4;

  private static final int MOST_NUMBERS = 2 * BLOCK;

  /** Which numbers take part in the sums. */
  public enum Summing {
    /** All that are finite. */
    ALL,
    /**
     * Those of blocks in which bits differ: the sums of all are needed of tensors alone whose
     * values differ, and take most of the time. How many were left out is in {@link
     * Deviation#lacksSums}.
     */
    WHERE_BITS_DIFFER
  }

  private final Summing summing;
  private final double[] ofFirst = new double[MOST_NUMBERS];
  private final double[] ofSecond = new double[MOST_NUMBERS];
  private final double[] differences = new double[MOST_NUMBERS];
  private final float[] ofSame = new float[ABREAST * BLOCK];
  private final double[] squares = new double[ABREAST];
  private final ExactAdder firstSquares = new ExactAdder();
  private final ExactAdder secondSquares = new ExactAdder();
  private final ExactAdder products = new ExactAdder();
  private final ExactAdder squaredDifferences = new ExactAdder();
  private final byte[] cast = new byte[BLOCK * Long.BYTES];

  /** A comparer that adds up these numbers. */
  public Comparer(Summing summing) {
    this.summing = summing;
  }

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
    int done = 0;
    while (done < count) {
      int left = summing == Summing.WHERE_BITS_DIFFER ? sameBits(first, second, done, count) : 0;
      int same = left > 0 ? 0 : sameBlocks(first, second, done, count);
      if (left > 0) {
        all = all.plus(Deviation.unsummed((long) left * Numbers.perElement(first.type)));
        done += left;
      } else if (same > 0) {
        all = all.plus(same(first, second, done, same, at + done));
        done += same * BLOCK;
      } else {
        int elements = Math.min(BLOCK, count - done);
        all = all.plus(block(first.from(done), second.from(done), elements, at + done));
        done += BLOCK;
      }
    }
    return all.with(
        new Deviation.Sums(
            firstSquares.take(),
            secondSquares.take(),
            products.take(),
            squaredDifferences.take(),
            0));
  }

  /** How many elements of whole blocks, or of all that are left, have the same bits. */
  private static int sameBits(Elements a, Elements b, int from, int count) {
    if (a.type != b.type) {
      return 0;
    }
    int bytes = a.type.bytes();
    int mismatch =
        Arrays.mismatch(
            a.data,
            a.offset + from * bytes,
            a.offset + count * bytes,
            b.data,
            b.offset + from * bytes,
            b.offset + count * bytes);
    return mismatch < 0 ? count - from : mismatch / bytes / BLOCK * BLOCK;
  }

  /**
   * How many whole blocks of floats have the same bits on both sides, from an element on; a few at
   * most.
   */
  private static int sameBlocks(Elements a, Elements b, int from, int count) {
    if (a.type != b.type || !Numbers.areFloats(a.type)) {
      return 0;
    }
    int blocks = 0;
    int length = BLOCK * a.type.bytes();
    while (blocks < ABREAST && from + (blocks + 1) * BLOCK <= count) {
      int inFirst = a.offset + (from + blocks * BLOCK) * a.type.bytes();
      int inSecond = b.offset + (from + blocks * BLOCK) * b.type.bytes();
      if (!Arrays.equals(a.data, inFirst, inFirst + length, b.data, inSecond, inSecond + length)) {
        break;
      }
      blocks++;
    }
    return blocks;
  }

  /** Of blocks with the same bits: nothing is to be told of them but their lengths. */
  private Deviation same(Elements first, Elements second, int from, int blocks, long at) {
    Elements start = first.from(from);
    Numbers.readFloats(start.type, start.data, start.offset, ofSame, blocks * BLOCK);
    sumSquares();
    Deviation all = Deviation.NONE;
    for (int i = 0; i < blocks; i++) {
      if (Double.isFinite(squares[i])) {
        firstSquares.add(squares[i]);
        secondSquares.add(squares[i]);
        products.add(squares[i]);
        all = all.plus(Deviation.same(BLOCK));
      } else {
        // Numbers that are not finite are looked at one by one.
        int element = from + i * BLOCK;
        all =
            all.plus(
                block(first.from(element), second.from(element), BLOCK, at + i * (long) BLOCK));
      }
    }
    return all;
  }

  /** Of all blocks that have room, be there numbers in them or not. */
  private void sumSquares() {
    double sum0 = 0;
    double sum1 = 0;
    double sum2 = 0;
    double sum3 = 0;
    for (int i = 0; i < BLOCK; i++) {
      double x0 = ofSame[i];
      double x1 = ofSame[i + BLOCK];
      double x2 = ofSame[i + 2 * BLOCK];
      double x3 = ofSame[i + 3 * BLOCK];
      sum0 += x0 * x0;
      sum1 += x1 * x1;
      sum2 += x2 * x2;
      sum3 += x3 * x3;
    }
    squares[0] = sum0;
    squares[1] = sum1;
    squares[2] = sum2;
    squares[3] = sum3;
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

  /**
   * What numbers come to, but for their bits and their sums, which are added to those of others.
   */
  private Deviation numbers(int count, long at, int perElement) {
    long differing = 0;
    long nanInFirst = 0;
    long nanInSecond = 0;
    long infinite = 0;
    double absolute = 0;
    int farthest = -1;
    double relative = 0;
    double square = 0;
    double otherSquare = 0;
    double product = 0;
    double distance = 0;
    for (int i = 0; i < count; i++) {
      double x = ofFirst[i];
      double y = ofSecond[i];
      double difference = differences[i];
      boolean finite = Double.isFinite(x) && Double.isFinite(y);
      if (finite) {
        square += x * x;
        otherSquare += y * y;
        product += x * y;
        distance += difference * difference;
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
    firstSquares.add(square);
    secondSquares.add(otherSquare);
    products.add(product);
    squaredDifferences.add(distance);
    return new Deviation(
        count,
        0,
        differing,
        new Deviation.Broken(nanInFirst, nanInSecond, infinite),
        absolute,
        farthest < 0 ? -1 : at + farthest / perElement,
        relative,
        Deviation.Sums.NONE);
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
