package dev.reweave.job;

import dev.reweave.plan.PlannedFile;
import dev.reweave.plan.Segment;
import dev.reweave.tensor.Cast;
import dev.reweave.tensor.DType;
import dev.reweave.tensor.Layout;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;

/**
 * Compares what a window gathers with a second copy of the same weights in the checkpoint: the
 * first is cast to the type of the second, and both must have the same bits.
 */
final class Proof {
  /**
   * What comparing a tensor, or a part of it, came to.
   *
   * @param compared number of elements
   * @param differing those whose bits differ
   * @param beyond those of them that are no neighbours: between the two lies another number of the
   *     type
   * @param difference sum of the squares of the differences
   * @param magnitude sum of the squares of the second copy's numbers
   */
  record Outcome(long compared, long differing, long beyond, double difference, double magnitude)
      implements Serializable {
    static final Outcome NONE = new Outcome(0, 0, 0, 0, 0);

    Outcome plus(Outcome other) {
      return new Outcome(
          compared + other.compared(),
          differing + other.differing(),
          beyond + other.beyond(),
          difference + other.difference(),
          magnitude + other.magnitude());
    }

    /** How far the tensor is off, as a part of its own magnitude. */
    double relative() {
      return magnitude == 0 ? (differing == 0 ? 0 : 1) : Math.sqrt(difference / magnitude);
    }
  }

  /** Elements of one tensor that lie in a buffer, and their second copy. */
  private record Piece(
      Layout copy, long from, int elements, DType type, Source source, int offset) {}

  /** In which of the window's buffers elements are. */
  enum Source {
    GATHERED,
    WRITTEN
  }

  private final PlannedFile file;
  private final Gather gather;
  private byte[] copies = new byte[0];
  private byte[] cast = new byte[0];
  private final List<Integer> segments = new ArrayList<>();
  private final List<Piece> pieces = new ArrayList<>();

  /**
   * A comparison with the second copies that a file's plan names.
   *
   * @param gather what reads them
   */
  Proof(PlannedFile file, Gather gather) {
    this.file = file;
    this.gather = gather;
  }

  /** Remembers elements {@code [from, from + elements)} of a tensor, to be compared. */
  void add(int segment, long from, int elements, Source source, int offset) {
    Layout copy = file.copies().get(segment);
    if (copy != null) {
      DType type = ((Segment.Woven) file.segments().get(segment)).layout().dtype();
      segments.add(segment);
      pieces.add(new Piece(copy, from, elements, type, source, offset));
    }
  }

  /** Takes what was found out. */
  interface Results {
    void add(int segment, Outcome outcome);
  }

  /** Compares all that was added since the last time. */
  void compare(byte[] gathered, byte[] written, Results results) {
    int size = 0;
    for (Piece piece : pieces) {
      size += piece.elements() * piece.copy().dtype().bytes();
    }
    if (copies.length < size) {
      copies = new byte[size];
      cast = new byte[size];
    }
    List<Gather.Slice> slices = new ArrayList<>();
    int at = 0;
    for (Piece piece : pieces) {
      long to = piece.from() + piece.elements();
      slices.add(new Gather.Slice(piece.copy(), piece.from(), to, copies, at));
      at += piece.elements() * piece.copy().dtype().bytes();
    }
    gather.read(slices);
    at = 0;
    for (int i = 0; i < pieces.size(); i++) {
      Piece piece = pieces.get(i);
      DType type = piece.copy().dtype();
      byte[] source = piece.source() == Source.GATHERED ? gathered : written;
      Cast.between(piece.type(), type).apply(source, piece.offset(), cast, at, piece.elements());
      results.add(segments.get(i), compare(type, at, piece.elements()));
      at += piece.elements() * type.bytes();
    }
    segments.clear();
    pieces.clear();
  }

  private Outcome compare(DType type, int offset, int elements) {
    long differing = 0;
    long beyond = 0;
    double difference = 0;
    double magnitude = 0;
    int size = type.bytes();
    for (int i = offset; i < offset + elements * size; i += size) {
      long ours = bits(cast, i, size);
      long theirs = bits(copies, i, size);
      if (ours != theirs) {
        differing++;
        beyond += areNeighbours(ours, theirs, 8 * size - 1) ? 0 : 1;
        double apart = number(type, ours) - number(type, theirs);
        difference += Double.isFinite(apart) ? apart * apart : Double.MAX_VALUE / elements / 4;
      }
      double theirNumber = number(type, theirs);
      magnitude += Double.isFinite(theirNumber) ? theirNumber * theirNumber : 0;
    }
    return new Outcome(elements, differing, beyond, difference, magnitude);
  }

  private static double half(int bits) {
    int exponent = bits >> 10 & 0x1F;
    int fraction = bits & 0x3FF;
    double magnitude =
        switch (exponent) {
          case 0 -> Math.scalb((double) fraction, -24);
          case 0x1F -> fraction == 0 ? Double.POSITIVE_INFINITY : Double.NaN;
          default -> Math.scalb((double) (0x400 + fraction), exponent - 25);
        };
    return (bits & 0x8000) == 0 ? magnitude : -magnitude;
  }

  private static double number(DType type, long bits) {
    return switch (type) {
      case F16 -> half((int) bits);
      case BF16 -> Float.intBitsToFloat((int) bits << 16);
      case F32 -> Float.intBitsToFloat((int) bits);
      default -> Double.longBitsToDouble(bits);
    };
  }

  private static long bits(byte[] data, int offset, int size) {
    long bits = 0;
    for (int b = size - 1; b >= 0; b--) {
      bits = bits << 8 | (data[offset + b] & 0xFF);
    }
    return bits;
  }

  /** Bits of a floating-point number, less its sign, count numbers from zero on. */
  private static boolean areNeighbours(long a, long b, int signBit) {
    return Math.abs(rank(a, signBit) - rank(b, signBit)) <= 1;
  }

  private static long rank(long bits, int signBit) {
    long magnitude = bits & ((1L << signBit) - 1);
    return (bits >>> signBit & 1) == 0 ? magnitude : -magnitude;
  }
}
