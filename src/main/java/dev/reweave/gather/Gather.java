package dev.reweave.gather;

import dev.reweave.tensor.BlockScales;
import dev.reweave.tensor.Cast;
import dev.reweave.tensor.CombinedLayout;
import dev.reweave.tensor.DType;
import dev.reweave.tensor.Layout;
import dev.reweave.tensor.LowRank;
import dev.reweave.tensor.Products;
import dev.reweave.tensor.Quotients;
import dev.reweave.tensor.RankCopies;
import dev.reweave.tensor.RunConsumer;
import dev.reweave.tensor.StepMeans;
import dev.reweave.tensor.StorageRef;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * Reads elements of tensors from wherever their layouts say. The runs of all of them are read in
 * the order of the files, near ones with one request; each needed byte is read once.
 */
public final class Gather {
  /**
   * Most runs of one slice, and about as many of one call, so that a tensor that is stored
   * transposed takes bounded memory.
   */
  public static final int MOST_RUNS = 1 << 18;

  /** Most bytes of what is read beside elements of one call: all copies but the first, factors. */
  public static final int MOST_BESIDE = Buffers.SIZE;

  /** Elements {@code [from, to)} of a tensor and where they go in memory, little-endian. */
  public static final class Slice {
    private static final int ALL = -1;
    private static final int BESIDE = -2;

    private final Layout layout;
    private final long from;
    private final long to;
    private final byte[] buffer;
    private final int offset;
    private final int copy;
    private long differences;

    /**
     * Elements as the layout makes them of all copies.
     *
     * @param offset first byte in the buffer
     */
    public Slice(Layout layout, long from, long to, byte[] buffer, int offset) {
      this(layout, from, to, buffer, offset, ALL);
    }

    /**
     * Elements as one of several ranks has them, and as it has stored them.
     *
     * @param copy which, from 0 on; the last one where there are fewer
     */
    public Slice(Layout layout, long from, long to, byte[] buffer, int offset, int copy) {
      this.layout = layout;
      this.from = from;
      this.to = to;
      this.buffer = buffer;
      this.offset = offset;
      this.copy = copy;
    }

    byte[] buffer() {
      return buffer;
    }

    /** Elements that are read as often as others need them, such as scales and factors. */
    static Slice beside(Layout layout, long from, long to, byte[] buffer, int offset) {
      return new Slice(layout, from, to, buffer, offset, BESIDE);
    }

    /** Whether it is read this once: scales are read with each part of what they scale. */
    boolean isReadOnce() {
      return copy != BESIDE;
    }

    /** Elements that should be the same in several copies and are not; after a read. */
    long differences() {
      return differences;
    }
  }

  /** What is done to elements once they are all read, in an order that lets one act on another. */
  private sealed interface Step {}

  /** Elements of a slice that are made of several copies, and where all but the first are. */
  private record Combination(
      Slice slice, CombinedLayout.Kind kind, int target, int others, int elements, int count)
      implements Step {}

  /**
   * Elements of a slice that are values, which were read, times scales, which were read into a
   * buffer of their own.
   */
  private record Scaling(
      Slice slice, Layout values, BlockScales scales, long from, int elements, int target, Slice by)
      implements Step {}

  /**
   * Elements of a slice to which a product is added.
   *
   * @param stored what they are added to, as it was read: at the end of their room
   * @param left the rows of the left matrix, which were read into a buffer of their own
   */
  private record Merging(Slice slice, Slice stored, LowRank product, int target, Slice left)
      implements Step {}

  /** Elements of a slice that are means of several steps, which were read beside them. */
  private record Mean(Slice slice, int target, List<Slice> steps, int elements) implements Step {}

  /** Elements of a slice that are quotients of what was read. */
  private record Division(Slice slice, double divisor, int target, int elements) implements Step {}

  private final StoredReads reads;
  private final Factors factors;
  private final List<Step> steps = new ArrayList<>();
  private List<StoredRange> pieces = List.of();
  private byte[] copies = new byte[0];
  private int copied;

  /** Reads from the files of one task, and tells the tally what it read. */
  public Gather(OpenFiles files, ReadTally tally) {
    this(files, tally, new Factors(files, tally));
  }

  /** The same with what others of the task have read of factors. */
  Gather(OpenFiles files, ReadTally tally, Factors factors) {
    this.reads = new StoredReads(files, tally);
    this.factors = factors;
  }

  /** Most elements that one slice may take of a layout. */
  public static long mostElements(Layout layout) {
    return Math.max(1, Math.min(Long.MAX_VALUE / MOST_RUNS, layout.granularity())) * MOST_RUNS;
  }

  /**
   * Most elements of a layout that what is read beside them, such as copies, has room for.
   *
   * @param room bytes for that
   */
  public static long mostBeside(Layout layout, long room) {
    return layout.besides() == 0 ? Long.MAX_VALUE : room / layout.besides();
  }

  /**
   * Reads all slices.
   *
   * @param slices of which what is read beside them fits in {@link #MOST_BESIDE}
   */
  public void read(List<Slice> slices) {
    begin(slices);
    finish();
  }

  /**
   * Begins to read all slices, as far as their stores answer late; nothing else is done with this
   * gather until {@link #finish()}.
   */
  void begin(List<Slice> slices) {
    copied = 0;
    steps.clear();
    pieces = pieces(slices);
    reads.begin(pieces);
  }

  /** Reads what was begun. */
  void finish() {
    reads.finish();
    toLittleEndian(pieces);
    steps.forEach(this::take);
    pieces = List.of();
  }

  /** Gives its buffers to the tasks that follow; the last thing that is done with it. */
  void release() {
    Buffers.give(copies);
    reads.release();
    factors.release();
  }

  /** Takes the runs of one slice, and those of its copies in slices of their own. */
  private final class StoredRanges implements RunConsumer {
    private final Slice slice;
    private final List<StoredRange> pieces;
    private int at;

    StoredRanges(Slice slice, List<StoredRange> pieces) {
      this.slice = slice;
      this.pieces = pieces;
      this.at = slice.offset;
    }

    @Override
    public void run(StorageRef storage, long first, long elements) {
      int size = storage.dtype().bytes();
      int length = Math.toIntExact(elements * size);
      pieces.add(new StoredRange(slice, storage, first * size, length, at));
      at += length;
    }

    @Override
    public void combined(CombinedLayout.Kind kind, List<Layout> layouts, long from, long to) {
      int elements = Math.toIntExact(to - from);
      int count = layouts.size();
      if (slice.copy != Slice.ALL) {
        layouts.get(Math.min(slice.copy, count - 1)).runs(from, to, this);
        return;
      }
      if (copies.length == 0 && count > 1) {
        copies = Buffers.take(MOST_BESIDE);
      }
      Combination combination = new Combination(slice, kind, at, copied, elements, count);
      layouts.get(0).runs(from, to, this);
      for (Layout layout : layouts.subList(1, count)) {
        Slice copy = new Slice(layout, from, to, copies, copied);
        layout.runs(from, to, new StoredRanges(copy, pieces));
        copied += elements * layout.dtype().bytes();
      }
      steps.add(combination);
    }

    @Override
    public void averaged(List<Layout> layouts, long from, long to) {
      int elements = Math.toIntExact(to - from);
      if (copies.length == 0) {
        copies = Buffers.take(MOST_BESIDE);
      }
      List<Slice> all = new ArrayList<>();
      for (Layout layout : layouts) {
        all.add(new Slice(layout, from, to, copies, copied));
        copied += elements * layout.dtype().bytes();
      }
      // Behind all steps: the copies of what several ranks have of one.
      all.forEach(step -> step.layout.runs(from, to, new StoredRanges(step, pieces)));
      steps.add(new Mean(slice, at, all, elements));
      at += elements * slice.layout.dtype().bytes();
    }

    @Override
    public void divided(Layout stored, double divisor, long from, long to) {
      Division division = new Division(slice, divisor, at, Math.toIntExact(to - from));
      stored.runs(from, to, this);
      // One rank's elements are wanted as that rank has them.
      if (slice.copy == Slice.ALL) {
        steps.add(division);
      }
    }

    @Override
    public void scaled(Layout values, BlockScales scales, long from, long to) {
      int elements = Math.toIntExact(to - from);
      // The values go where products are made of them from the front on: see BlockScales.
      int behind = at + elements * (slice.layout.dtype().bytes() - values.dtype().bytes());
      Slice stored = new Slice(values, from, to, slice.buffer, behind, slice.copy);
      values.runs(from, to, new StoredRanges(stored, pieces));
      BlockScales.Range needed = scales.range(from, to);
      Layout layout = scales.layout();
      byte[] by = new byte[Math.multiplyExact(needed.count(), layout.dtype().bytes())];
      Slice beside = Slice.beside(layout, needed.from(), needed.to(), by, 0);
      layout.runs(needed.from(), needed.to(), new StoredRanges(beside, pieces));
      steps.add(new Scaling(slice, values, scales, from, elements, at, beside));
      at += elements * slice.layout.dtype().bytes();
    }

    @Override
    public void merged(Layout base, LowRank product, long from, long to) {
      int elements = Math.toIntExact(to - from);
      int size = DType.F32.bytes();
      // Narrower ones go where they can be widened from the front on.
      int behind = at + elements * (size - base.dtype().bytes());
      Slice stored = new Slice(base, from, to, slice.buffer, behind, slice.copy);
      base.runs(from, to, new StoredRanges(stored, pieces));
      LowRank.Range rows = product.leftOf(from, to);
      Layout layout = product.left();
      byte[] by = new byte[Math.multiplyExact(rows.count(), layout.dtype().bytes())];
      Slice left = Slice.beside(layout, rows.from(), rows.to(), by, 0);
      layout.runs(rows.from(), rows.to(), new StoredRanges(left, pieces));
      steps.add(new Merging(slice, stored, product, at, left));
      at += elements * size;
    }
  }

  private List<StoredRange> pieces(List<Slice> slices) {
    List<StoredRange> pieces = new ArrayList<>();
    for (Slice slice : slices) {
      slice.layout.runs(slice.from, slice.to, new StoredRanges(slice, pieces));
    }
    pieces.sort(
        Comparator.comparingInt(StoredRange::file).thenComparingLong(StoredRange::filePosition));
    return pieces;
  }

  private void take(Step step) {
    if (step instanceof Combination combination) {
      combine(combination);
    } else if (step instanceof Mean m) {
      average(m);
    } else if (step instanceof Division d) {
      Quotients.divide(
          d.slice().layout.dtype(), d.slice().buffer, d.target(), d.elements(), d.divisor());
    } else if (step instanceof Merging m) {
      merge(m);
    } else if (step instanceof Scaling s) {
      s.scales()
          .multiply(
              s.values().dtype(),
              s.slice().buffer,
              s.target(),
              s.from(),
              s.elements(),
              s.by().buffer);
    }
  }

  private void merge(Merging m) {
    Slice stored = m.stored();
    int count = Math.toIntExact(stored.to - stored.from);
    byte[] data = m.slice().buffer;
    Products.widen(stored.layout.dtype(), data, m.target(), count);
    factors.add(
        m.product(), new Products.Elements(data, m.target(), stored.from, count, m.left().buffer));
    m.slice().differences += stored.differences;
  }

  private static void average(Mean mean) {
    Slice first = mean.steps().get(0);
    StepMeans.mean(
        first.layout.dtype(),
        first.buffer,
        first.offset,
        mean.elements(),
        mean.steps().size(),
        mean.slice().buffer,
        mean.target());
    mean.steps().forEach(step -> mean.slice().differences += step.differences);
  }

  private void combine(Combination c) {
    Slice slice = c.slice();
    RankCopies all =
        new RankCopies(
            slice.layout.dtype(),
            slice.buffer,
            c.target(),
            copies,
            c.others(),
            c.elements(),
            c.count());
    switch (c.kind()) {
      case AVERAGED -> all.average();
      case REPLICATED, TIED -> slice.differences += all.differences();
    }
  }

  private static void toLittleEndian(List<StoredRange> pieces) {
    for (StoredRange piece : pieces) {
      if (piece.storage().order() == StorageRef.Endian.BIG) {
        Cast.toLittleEndian(
            piece.storage().dtype(),
            piece.slice().buffer,
            piece.target(),
            piece.length() / piece.storage().dtype().bytes());
      }
    }
  }
}
