package dev.reweave.gather;

import dev.reweave.tensor.Layout;
import dev.reweave.tensor.LowRank;
import dev.reweave.tensor.Products;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The right matrices of the products that a task is at work with. One is read when its first
 * elements are made, and kept for those that follow; one that is too large for that is read some
 * columns at a time, for each window anew.
 */
final class Factors {
  /** Bytes that are kept: a matrix of rank 256 for 32768 columns of F32. */
  static final int MOST_BYTES = 32 << 20;

  private final OpenFiles files;
  private final ReadTally tally;
  private Optional<LowRank> product = Optional.empty();
  private Optional<Products> products = Optional.empty();
  private Optional<Products.Columns> columns = Optional.empty();
  private Optional<Gather> gather = Optional.empty();
  private byte[] data = new byte[0];

  /** Reads from the files of one task, and tells the tally what it read. */
  Factors(OpenFiles files, ReadTally tally) {
    this.files = files;
    this.tally = tally;
  }

  /** Adds a product to elements. */
  void add(LowRank added, Products.Elements elements) {
    if (product.filter(p -> p == added).isEmpty()) {
      product = Optional.of(added);
      products = Optional.of(new Products(added));
      columns = Optional.empty();
    }
    long width = Math.min(added.columns(), widest(added));
    long last = added.matrixOf(elements.last());
    for (long matrix = added.matrixOf(elements.first()); matrix <= last; matrix++) {
      for (long first = 0; first < added.columns(); first += width) {
        int count = (int) Math.min(width, added.columns() - first);
        products.orElseThrow().add(elements, columns(added, matrix, first, count));
      }
    }
  }

  /** Columns that may be kept at a time. */
  private static long widest(LowRank added) {
    return Math.max(1, MOST_BYTES / added.rank() / added.right().dtype().bytes());
  }

  private Products.Columns columns(LowRank of, long matrix, long first, int count) {
    Optional<Products.Columns> kept = columns.filter(c -> c.are(matrix, first, count));
    if (kept.isEmpty()) {
      columns = Optional.of(read(of, matrix, first, count));
    }
    return columns.orElseThrow();
  }

  private Products.Columns read(LowRank of, long matrix, long first, int count) {
    Layout layout = of.right();
    int size = layout.dtype().bytes();
    int length = of.rank() * count * size;
    if (data.length < length) {
      data = new byte[length];
    }
    Gather reader = gather.orElseGet(() -> new Gather(files, tally, this));
    gather = Optional.of(reader);
    List<Gather.Slice> slices = new ArrayList<>();
    long runs = 0;
    for (int row = 0; row < of.rank(); row++) {
      long start = (matrix * of.rank() + row) * of.columns() + first;
      int at = 0;
      while (at < count) {
        int step = (int) Math.min(Gather.mostElements(layout), count - at);
        int target = (row * count + at) * size;
        slices.add(Gather.Slice.beside(layout, start + at, start + at + step, data, target));
        runs += step / layout.granularity() + 1;
        at += step;
        if (runs >= Gather.MOST_RUNS) {
          reader.read(slices);
          slices.clear();
          runs = 0;
        }
      }
    }
    reader.read(slices);
    return new Products.Columns(matrix, first, count, data);
  }

  /** Gives its buffers to the tasks that follow. */
  void release() {
    Optional<Gather> reader = gather;
    gather = Optional.empty();
    reader.ifPresent(Gather::release);
  }
}
