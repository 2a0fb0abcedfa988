package dev.reweave.look.compare;

import dev.reweave.gather.Gather;
import dev.reweave.gather.OpenFiles;
import dev.reweave.gather.ReadTally;
import dev.reweave.storage.InputFile;
import dev.reweave.storage.ReadLimit;
import dev.reweave.storage.Stores;
import dev.reweave.tensor.Comparer;
import dev.reweave.tensor.Comparer.Elements;
import dev.reweave.tensor.Deviation;
import dev.reweave.tensor.Layout;
import java.io.Closeable;
import java.io.IOException;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.LongConsumer;

/**
 * Compares the elements of one chunk, a window of a few megabytes of each side after another. Needs
 * the same memory for every chunk.
 */
final class DiffTask {
  private static final int BUFFER = 4 << 20;

  /**
   * What one chunk came to.
   *
   * @param deviations by pair
   * @param bytesRead bytes fetched of both sides
   */
  record Result(Map<Integer, Deviation> deviations, long bytesRead) implements Serializable {}

  /** Elements of one pair that are in the window, and where. */
  private record PairRange(int pair, long from, int elements, int inFirst, int inSecond) {}

  /** Gathers the elements of one side into a buffer, in as many steps as its copies take. */
  private static final class Side implements Closeable {
    private final OpenFiles files;
    private final ReadTally tally = new ReadTally();
    private final Gather gather;
    private final byte[] buffer;
    private final List<Gather.Slice> slices = new ArrayList<>();
    private int filled;
    private long runs;
    private long besides;

    Side(Stores stores, List<InputFile> inputs, long bytes) {
      files = new OpenFiles(stores, inputs, ReadLimit.NONE.bucket());
      gather = new Gather(files, tally);
      buffer = new byte[(int) Math.min(BUFFER, bytes)];
    }

    /** Elements that still fit. */
    int room(Layout layout) {
      return (buffer.length - filled) / layout.dtype().bytes();
    }

    /** Adds elements {@code [from, to)}, for which there is room; gives their first byte. */
    int add(Layout layout, long from, long to) {
      int start = filled;
      int size = layout.dtype().bytes();
      long at = from;
      while (at < to) {
        long step = Math.min(Gather.mostElements(layout), to - at);
        step = Math.min(step, Math.max(1, Gather.mostBeside(layout, Gather.MOST_BESIDE)));
        long beside = step * layout.besides();
        if (runs >= Gather.MOST_RUNS || besides + beside > Gather.MOST_BESIDE) {
          read();
        }
        slices.add(new Gather.Slice(layout, at, at + step, buffer, filled));
        filled += Math.toIntExact(step * size);
        runs += step / layout.granularity() + 1;
        besides += beside;
        at += step;
      }
      return start;
    }

    private void read() {
      gather.read(slices);
      slices.clear();
      runs = 0;
      besides = 0;
    }

    Elements elements(Layout layout, int offset) {
      return new Elements(layout.dtype(), buffer, offset);
    }

    @Override
    public void close() throws IOException {
      files.close();
    }
  }

  private final Stores stores;
  private final DiffPlan.Work work;
  private final DiffPlan.Chunk chunk;
  private final Comparer comparer;
  private final List<PairRange> pieces = new ArrayList<>();
  private final Map<Integer, Deviation> deviations = new TreeMap<>();
  private final LongConsumer meter;

  /**
   * A task for one chunk.
   *
   * @param meter takes the bytes of both sides that are compared, as they are
   */
  DiffTask(
      Stores stores,
      DiffPlan.Work work,
      DiffPlan.Chunk chunk,
      Comparer.Summing summing,
      LongConsumer meter) {
    this.meter = meter;
    this.comparer = new Comparer(summing);
    this.stores = stores;
    this.work = work;
    this.chunk = chunk;
  }

  /** Compares all of the chunk. */
  Result run() {
    long ofFirst = 0;
    long ofSecond = 0;
    for (DiffPlan.Range range : chunk.ranges()) {
      DiffPlan.Layouts pair = work.layouts().get(range.pair());
      ofFirst += (range.to() - range.from()) * pair.first().dtype().bytes();
      ofSecond += (range.to() - range.from()) * pair.second().dtype().bytes();
    }
    try (Side first = new Side(stores, work.first(), ofFirst);
        Side second = new Side(stores, work.second(), ofSecond)) {
      for (DiffPlan.Range range : chunk.ranges()) {
        add(range, first, second);
      }
      flush(first, second);
      return new Result(deviations, first.tally.bytes() + second.tally.bytes());
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  private void add(DiffPlan.Range range, Side first, Side second) {
    DiffPlan.Layouts pair = work.layouts().get(range.pair());
    long at = range.from();
    while (at < range.to()) {
      long room = Math.min(first.room(pair.first()), second.room(pair.second()));
      long fitting = Math.min(room, range.to() - at);
      if (at + fitting < range.to()) {
        // Sums are those of whole blocks, wherever a window ends.
        fitting -= fitting % Comparer.BLOCK;
      }
      if (fitting == 0) {
        flush(first, second);
      } else {
        int inFirst = first.add(pair.first(), at, at + fitting);
        int inSecond = second.add(pair.second(), at, at + fitting);
        pieces.add(new PairRange(range.pair(), at, Math.toIntExact(fitting), inFirst, inSecond));
        at += fitting;
      }
    }
  }

  private void flush(Side first, Side second) {
    first.read();
    second.read();
    for (PairRange piece : pieces) {
      DiffPlan.Layouts pair = work.layouts().get(piece.pair());
      Deviation found =
          comparer.compare(
              first.elements(pair.first(), piece.inFirst()),
              second.elements(pair.second(), piece.inSecond()),
              piece.elements(),
              piece.from());
      deviations.merge(piece.pair(), found, Deviation::plus);
      meter.accept(piece.elements() * pair.bytesPerElement());
    }
    pieces.clear();
    first.filled = 0;
    second.filled = 0;
  }
}
