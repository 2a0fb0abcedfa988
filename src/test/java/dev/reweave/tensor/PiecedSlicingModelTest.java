package dev.reweave.tensor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeSet;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

/**
 * Wholes of random pieces, with random strides, in random ranks, against a list of all elements
 * that is made piece by piece and element by element.
 */
class PiecedSlicingModelTest {
  /** Element {@code i} of rank {@code r} lies in file {@code r}. */
  private static NamedTensor slice(int rank, long length) {
    Shape shape = Shape.of(length);
    StorageRef storage = LayoutModel.storage(rank, "data/0", length);
    return new NamedTensor(
        new TensorSpec("w", DType.F32, shape), StoredLayout.contiguous(storage, 0, shape));
  }

  private static Strided strided(Shape shape, long offset, long... strides) {
    return new Strided(shape, offset, LongStream.of(strides).boxed().toList());
  }

  /** A tensor of a few dimensions cut along each, and which ranks have which block. */
  private static final class Model {
    private final SplittableRandom random;
    private final int ranks;
    private final Shape shape;
    private final List<SlicePiece> pieces = new ArrayList<>();
    private final List<List<SlicePiece>> byRank = new ArrayList<>();

    Model(long seed) {
      random = new SplittableRandom(seed);
      ranks = random.nextInt(1, 5);
      shape = Shape.of(random.longs(random.nextInt(1, 5), 1, 6).toArray());
      cut(0, new long[shape.rank()], new long[shape.rank()]);
      IntStream.range(0, ranks).forEach(r -> byRank.add(new ArrayList<>()));
    }

    private void cut(int dim, long[] offsets, long[] sizes) {
      if (dim == shape.rank()) {
        add(offsets, sizes);
        return;
      }
      Set<Long> borders = new TreeSet<>(List.of(0L, shape.dim(dim)));
      for (int i = random.nextInt(3); i > 0; i--) {
        borders.add(random.nextLong(shape.dim(dim)));
      }
      List<Long> sorted = List.copyOf(borders);
      for (int i = 0; i + 1 < sorted.size(); i++) {
        offsets[dim] = sorted.get(i);
        sizes[dim] = sorted.get(i + 1) - sorted.get(i);
        cut(dim + 1, offsets, sizes);
      }
    }

    private void add(long[] offsets, long[] sizes) {
      Set<Integer> holders = new HashSet<>(Set.of(random.nextInt(ranks)));
      for (int r = 0; r < ranks; r++) {
        if (random.nextInt(4) == 0) {
          holders.add(r);
        }
      }
      long at = 0;
      for (int d = 0; d < sizes.length; d++) {
        at += offsets[d] * shape.rowMajorStrides()[d];
      }
      Strided whole = strided(Shape.of(sizes), at, shape.rowMajorStrides());
      pieces.add(new SlicePiece(whole, whole, random.nextInt(5) == 0 ? 0.5 : 1, holders));
    }

    /** In any order of pieces: side by side, or end to end with dimensions in any order. */
    private PiecedSlicing.Share share(int rank) {
      List<SlicePiece> mine =
          new ArrayList<>(pieces.stream().filter(p -> p.holders().contains(rank)).toList());
      Collections.shuffle(mine, new Random(random.nextLong()));
      long length = mine.stream().mapToLong(p -> p.whole().elements()).sum();
      long rows = mine.isEmpty() ? 0 : mine.get(0).whole().shape().dim(0);
      boolean sideBySide =
          random.nextInt(2) == 0 && mine.stream().allMatch(p -> p.whole().shape().dim(0) == rows);
      long at = 0;
      for (SlicePiece piece : mine) {
        Shape sizes = piece.whole().shape();
        long[] strides = sideBySide ? sizes.rowMajorStrides() : permuted(sizes);
        if (sideBySide) {
          strides[0] = length / rows;
        }
        byRank
            .get(rank)
            .add(
                new SlicePiece(
                    piece.whole(), strided(sizes, at, strides), piece.scale(), piece.holders()));
        at += sideBySide ? sizes.elements() / rows : sizes.elements();
      }
      return new PiecedSlicing.Share(Shape.of(length), byRank.get(rank));
    }

    private long[] permuted(Shape sizes) {
      List<Integer> order = new ArrayList<>(IntStream.range(0, sizes.rank()).boxed().toList());
      if (random.nextInt(3) == 0) {
        Collections.shuffle(order, new Random(random.nextLong()));
      }
      long[] strides = new long[sizes.rank()];
      long stride = 1;
      for (int d = order.size() - 1; d >= 0; d--) {
        strides[order.get(d)] = stride;
        stride *= sizes.dim(order.get(d));
      }
      return strides;
    }

    /**
     * Where each element of the whole is, and times what, piece by piece and element by element.
     */
    private Map<Long, Set<String>> places() {
      Map<Long, Set<String>> places = new HashMap<>();
      for (int r = 0; r < ranks; r++) {
        for (SlicePiece piece : byRank.get(r)) {
          for (long i = 0; i < piece.whole().elements(); i++) {
            places
                .computeIfAbsent(at(piece.whole(), i), e -> new TreeSet<>())
                .add(r + ":" + at(piece.slice(), i) + "/" + piece.scale());
          }
        }
      }
      return places;
    }

    private static long at(Strided view, long element) {
      long at = view.offset();
      long rest = element;
      for (int d = view.shape().rank() - 1; d >= 0; d--) {
        at += rest % view.shape().dim(d) * view.strides().get(d);
        rest /= view.shape().dim(d);
      }
      return at;
    }
  }

  /** Takes copies apart, and notes what they are divided by. */
  private static final class Taken implements RunConsumer {
    private final Map<Long, Set<String>> places = new HashMap<>();
    private long at;
    private double divisor = 1;

    Taken(long from) {
      at = from;
    }

    @Override
    public void run(StorageRef storage, long offset, long elements) {
      for (long i = offset; i < offset + elements; i++) {
        places
            .computeIfAbsent(at++, e -> new TreeSet<>())
            .add(storage.file() + ":" + i + "/" + divisor);
      }
    }

    @Override
    public void combined(CombinedLayout.Kind kind, List<Layout> copies, long from, long to) {
      long start = at;
      for (Layout copy : copies) {
        at = start;
        copy.runs(from, to, this);
      }
    }

    @Override
    public void divided(Layout stored, double by, long from, long to) {
      divisor = by;
      stored.runs(from, to, this);
      divisor = 1;
    }
  }

  @Test
  void eachElementComesFromWhereItsPieceHasIt() {
    int cut = 0;
    for (int seed = 0; seed < 1500; seed++) {
      Model model = new Model(seed);
      List<PiecedSlicing.Share> shares = new ArrayList<>();
      List<NamedTensor> slices = new ArrayList<>();
      for (int r = 0; r < model.ranks; r++) {
        shares.add(model.share(r));
        slices.add(slice(r, shares.get(r).shape().elements()));
      }
      List<Integer> filled =
          IntStream.range(0, model.ranks)
              .filter(r -> slices.get(r).spec().elements() > 0)
              .boxed()
              .toList();
      cut += model.pieces.size() > 2 && filled.size() > 1 ? 1 : 0;

      NamedTensor whole = new PiecedSlicing(model.shape, shares).whole(slices);

      Map<Long, Set<String>> expected = model.places();
      long elements = model.shape.elements();
      assertEquals(elements, whole.spec().elements());
      assertEquals(Shape.of(elements), whole.spec().shape());
      for (int i = 0; i < 5; i++) {
        long from = i == 0 ? 0 : model.random.nextLong(elements);
        long to = i == 0 ? elements : model.random.nextLong(from, elements + 1);
        Taken taken = new Taken(from);
        whole.layout().runs(from, to, taken);
        Map<Long, Set<String>> range = new HashMap<>(expected);
        range.keySet().removeIf(e -> e < from || e >= to);
        assertEquals(range, taken.places, "seed " + seed);
      }
      for (int r = 0; r < model.ranks; r++) {
        Set<Long> read = new TreeSet<>();
        whole
            .layout()
            .runsIn(r, (s, at, count) -> LongStream.range(at, at + count).forEach(read::add));
        assertEquals(slices.get(r).spec().elements(), read.size(), "all of the slice is read");
      }
    }
    assertTrue(cut > 400, "few models are cut at all: " + cut);
  }
}
