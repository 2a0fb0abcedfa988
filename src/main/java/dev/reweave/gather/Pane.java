package dev.reweave.gather;

import dev.reweave.plan.Segment;
import dev.reweave.tensor.Cast;
import dev.reweave.tensor.Layout;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/** Buffers of a window, and what is to be gathered into them. */
final class Pane {
  /** Bytes of each of the two buffers at most. */
  static final int BUFFER = Buffers.SIZE;

  /**
   * Elements of one tensor in the window.
   *
   * @param source their first byte among the gathered ones; unused where nothing is cast
   * @param target their first byte among the written ones
   * @param index of the first one in the tensor
   * @param behind bytes of the tensor behind them
   * @param behindInSegment bytes of the segment behind them
   */
  record Placed(
      int segment,
      Cast cast,
      int source,
      int target,
      int elements,
      long index,
      long behind,
      long behindInSegment) {
    int bytes() {
      return elements * cast.to().bytes();
    }
  }

  /**
   * The end of an item in the window.
   *
   * @param target its first byte among the written ones
   */
  record PlacedEnd(Segment.ItemEnd end, int target) {}

  private final Gather gather;
  private final int inBytes;
  private final byte[] out;
  private final List<Gather.Slice> slices = new ArrayList<>();
  private final List<Placed> pieces = new ArrayList<>();
  private final Deque<PlacedEnd> ends = new ArrayDeque<>();
  private byte[] in = new byte[0];
  private long runs;
  private int gathered;
  private int filled;
  private long besides;

  /**
   * Empty buffers.
   *
   * @param bytes that will be written at most
   */
  Pane(Gather gather, long bytes) {
    this.gather = gather;
    // A cast from 64 to 16 bits takes in four times what it gives.
    this.inBytes = (int) Math.min(BUFFER, 4 * bytes);
    this.out = Buffers.take((int) Math.min(BUFFER, bytes));
  }

  /** Adds up to {@code most} bytes of a literal; gives how many there was room for. */
  int add(Segment.Literal literal, int from, int most) {
    int length = Math.min(most, out.length - filled);
    literal.copy(from, out, filled, length);
    filled += length;
    return length;
  }

  /** Leaves room for the end of an item; false if there is not enough. */
  boolean add(Segment.ItemEnd end) {
    int length = (int) end.length();
    if (length > out.length - filled) {
      return false;
    }
    ends.add(new PlacedEnd(end, filled));
    filled += length;
    return true;
  }

  /** Adds elements, for which there is room. */
  void add(int segment, Segment.OfTensor ofTensor, Cast cast, long at, int elements) {
    Layout layout = ofTensor.layout();
    if (!cast.isCopy() && in.length == 0) {
      in = Buffers.take(inBytes);
    }
    slices.add(
        cast.isCopy()
            ? new Gather.Slice(layout, at, at + elements, out, filled)
            : new Gather.Slice(layout, at, at + elements, in, gathered));
    int size = cast.to().bytes();
    long behind = (ofTensor.spec().units() - at - elements) * size;
    long behindInSegment = (ofTensor.to() - at - elements) * size;
    pieces.add(new Placed(segment, cast, gathered, filled, elements, at, behind, behindInSegment));
    besides += (long) elements * layout.besides();
    gathered += cast.isCopy() ? 0 : elements * cast.from().bytes();
    filled += elements * cast.to().bytes();
    runs += elements / layout.granularity() + 1;
  }

  /** Elements that still fit. */
  int room(Cast cast) {
    return room(cast, filled, gathered);
  }

  /** Elements that would fit if nothing were in it. */
  int roomOfEmpty(Cast cast) {
    return room(cast, 0, 0);
  }

  private int room(Cast cast, int filledBytes, int gatheredBytes) {
    int room = (out.length - filledBytes) / cast.to().bytes();
    return cast.isCopy() ? room : Math.min(room, (inBytes - gatheredBytes) / cast.from().bytes());
  }

  boolean isFull() {
    return filled == out.length;
  }

  /** Runs of its elements, about. */
  long runs() {
    return runs;
  }

  /** Bytes of what is read beside its elements. */
  long besides() {
    return besides;
  }

  /** Begins to gather, as far as stores answer late. */
  void begin() {
    gather.begin(slices);
  }

  /** Gathers what was begun. */
  void finish() {
    gather.finish();
  }

  /** What was gathered and is to be cast. */
  byte[] in() {
    return in;
  }

  /** What is written: literals, elements that keep their type, and room for those that do not. */
  byte[] out() {
    return out;
  }

  /** Bytes to write. */
  int filled() {
    return filled;
  }

  /** Its elements, in their order. */
  List<Placed> pieces() {
    return pieces;
  }

  /** The ends of items that are not written yet, in their order. */
  Deque<PlacedEnd> ends() {
    return ends;
  }

  /** Elements of this piece that should be the same in several copies and are not. */
  long differences(int piece) {
    return slices.get(piece).differences();
  }

  /** Gives its buffers to the tasks that follow. */
  void release() {
    Buffers.give(in);
    Buffers.give(out);
    gather.release();
  }

  void clear() {
    slices.clear();
    pieces.clear();
    ends.clear();
    runs = 0;
    gathered = 0;
    filled = 0;
    besides = 0;
  }
}
