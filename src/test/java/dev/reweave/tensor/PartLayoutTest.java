package dev.reweave.tensor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** Parts of tensors, and tensors made of parts, against a list of where each element lies. */
class PartLayoutTest {
  private static final int FILES = 4;

  /** A tensor, where its elements lie, and how often its runs are cut beside its granularity. */
  private record Modelled(NamedTensor tensor, List<LayoutModel.Place> places, int cuts) {
    long dim(int i) {
      return tensor.spec().shape().dim(i);
    }

    void check() {
      new LayoutModel(places).check(tensor.layout(), FILES, cuts);
    }
  }

  @Test
  void narrowsEveryKindAlongEveryDimension() {
    SplittableRandom random = new SplittableRandom(5);
    for (int i = 0; i < 600; i++) {
      Modelled base = random(random, shape(random));
      Modelled narrowed = narrow(random, base);
      narrowed.check();
    }
  }

  @Test
  void narrowsWhatIsNarrowed() {
    SplittableRandom random = new SplittableRandom(6);
    for (int i = 0; i < 400; i++) {
      narrow(random, narrow(random, random(random, shape(random)))).check();
    }
  }

  @Test
  void joinsEveryKindAlongEveryDimension() {
    SplittableRandom random = new SplittableRandom(7);
    for (int i = 0; i < 400; i++) {
      join(random, shape(random), false).check();
    }
  }

  @Test
  void joinsPartsAndNarrowsWholes() {
    SplittableRandom random = new SplittableRandom(8);
    for (int i = 0; i < 400; i++) {
      narrow(random, join(random, shape(random), true)).check();
    }
  }

  /** As a regrouped split does: parts of one tensor in another order. */
  @Test
  void regroupsRowsOfOneTensor() {
    SplittableRandom random = new SplittableRandom(9);
    for (int i = 0; i < 200; i++) {
      Modelled base = random(random, new int[] {6, random.nextInt(1, 5)});
      List<Modelled> parts = new ArrayList<>();
      for (int from : new int[] {4, 0, 2}) {
        parts.add(narrow(base, 0, from, 1 + random.nextInt(2)));
      }
      join(parts, 0).check();
    }
  }

  @Test
  void selectsFromEveryKindAndNarrowsWhatIsSelected() {
    SplittableRandom random = new SplittableRandom(10);
    for (int i = 0; i < 600; i++) {
      Modelled base = random(random, shape(random));
      int dim = random.nextInt(base.tensor().spec().shape().rank());
      if (base.dim(dim) > 0) {
        Modelled selected = select(base, dim, random.nextInt((int) base.dim(dim)));
        selected.check();
        if (selected.tensor().spec().shape().rank() > 0) {
          narrow(random, selected).check();
        }
      }
    }
  }

  /** What is unstacked and stacked again along the same dimension, or another. */
  @Test
  void stacksWhatIsSelected() {
    SplittableRandom random = new SplittableRandom(11);
    for (int i = 0; i < 300; i++) {
      Modelled base = random(random, shape(random));
      int dim = random.nextInt(base.tensor().spec().shape().rank());
      List<Modelled> parts = new ArrayList<>();
      for (int index = 0; index < base.dim(dim); index++) {
        parts.add(select(base, dim, index));
      }
      if (!parts.isEmpty()) {
        Modelled again = stack(parts, dim);
        again.check();
        assertEquals(base.tensor().spec().shape(), again.tensor().spec().shape());
        assertEquals(base.places(), again.places());
        stack(parts, random.nextInt(base.tensor().spec().shape().rank())).check();
      }
    }
  }

  @Test
  void selectsAndStacksWithinDimensionsThatAreThere() {
    NamedTensor tensor = flat(new SplittableRandom(1), Shape.of(3, 4)).tensor();
    assertEquals(Shape.of(4), tensor.selected("s", 0, 2).spec().shape());
    assertThrows(IndexOutOfBoundsException.class, () -> tensor.selected("s", 0, 3));
    assertThrows(IndexOutOfBoundsException.class, () -> tensor.selected("s", 2, 0));
    assertEquals(
        Shape.of(3, 4, 2), NamedTensor.stacked("s", 2, List.of(tensor, tensor)).spec().shape());
    assertThrows(
        IndexOutOfBoundsException.class, () -> NamedTensor.stacked("s", 3, List.of(tensor)));
    NamedTensor other = flat(new SplittableRandom(1), Shape.of(2, 4)).tensor();
    assertThrows(
        IllegalArgumentException.class, () -> NamedTensor.stacked("s", 0, List.of(tensor, other)));
    refusesJoin("no parts for s", () -> NamedTensor.stacked("s", 0, List.of()));
  }

  /** As rotary pairs become halves: a dimension seen as three, the last two in another order. */
  @Test
  void reordersEveryKindAlongEveryDimension() {
    SplittableRandom random = new SplittableRandom(12);
    for (int i = 0; i < 400; i++) {
      int[] dims = shape(random);
      int dim = random.nextInt(dims.length);
      int[] as = {random.nextInt(1, 3), random.nextInt(1, 3), random.nextInt(1, 4)};
      dims[dim] = as[0] * as[1] * as[2];
      Modelled base = random(random, dims);
      long inner = 1;
      for (int d = dim + 1; d < dims.length; d++) {
        inner *= dims[d];
      }
      List<LayoutModel.Place> places = new ArrayList<>();
      for (int at = 0; at < base.places().size(); at++) {
        long index = at / inner % dims[dim];
        // The place of index (a, c, b) of the result is that of (a, b, c).
        long group = (long) as[1] * as[2];
        long a = index / group;
        long c = index % group / as[1];
        long b = index % as[1];
        long from = (a * as[1] + b) * as[2] + c;
        places.add(base.places().get((int) (at + (from - index) * inner)));
      }
      NamedTensor reordered =
          base.tensor()
              .reordered(
                  "r", dim, List.of((long) as[0], (long) as[1], (long) as[2]), List.of(0, 2, 1));
      assertEquals(base.tensor().spec().shape(), reordered.spec().shape());
      new Modelled(reordered, places, base.cuts() + places.size()).check();
    }
  }

  @Test
  void reordersByWhatMakesUpTheDimensionAlone() {
    NamedTensor tensor = flat(new SplittableRandom(1), Shape.of(6, 2)).tensor();
    assertThrows(
        IllegalArgumentException.class,
        () -> tensor.reordered("r", 0, List.of(2L, 2L), List.of(1, 0)));
    assertThrows(
        IllegalArgumentException.class,
        () -> tensor.reordered("r", 0, List.of(2L, 3L), List.of(1, 1)));
    assertThrows(
        IndexOutOfBoundsException.class,
        () -> tensor.reordered("r", 2, List.of(2L, 3L), List.of(1, 0)));
  }

  /** One of a stack of tensors has its own blocks alone. */
  @Test
  void whatIsSelectedFromAGridTouchesItsOwnFilesAlone() {
    List<GridLayout.Block> blocks = new ArrayList<>();
    for (int layer = 0; layer < 4; layer++) {
      for (int half = 0; half < 2; half++) {
        StorageRef storage = LayoutModel.storage(2 * layer + half, "s", 6);
        blocks.add(
            new GridLayout.Block(
                List.of((long) layer, 0L, 2L * half),
                Shape.of(1, 3, 2),
                StoredLayout.contiguous(storage, 0, Shape.of(3, 2))));
      }
    }
    NamedTensor whole = tensor(Shape.of(4, 3, 4), new GridLayout(Shape.of(4, 3, 4), blocks));
    List<String> runs = new ArrayList<>();
    NamedTensor layer = whole.selected("l", 0, 2);
    assertEquals(GridLayout.class, layer.layout().getClass());
    layer.layout().runs(0, 12, (s, at, n) -> runs.add(s.file() + "@" + at + "+" + n));
    assertEquals(List.of("4@0+2", "5@0+2", "4@2+2", "5@2+2", "4@4+2", "5@4+2"), runs);
    NamedTensor half = layer.narrowed("h", 1, 2, 2);
    assertEquals(StoredLayout.class, half.layout().getClass());
    runs.clear();
    half.layout().runs(0, 6, (s, at, n) -> runs.add(s.file() + "@" + at + "+" + n));
    assertEquals(List.of("5@0+6"), runs);
    assertEquals(
        StoredLayout.class, whole.narrowed("n", 2, 0, 2).selected("l", 0, 1).layout().getClass());
  }

  private static Modelled select(Modelled base, int dim, long index) {
    Modelled slice = narrow(base, dim, index, 1);
    NamedTensor selected = base.tensor().selected("part", dim, index);
    assertEquals("part", selected.name());
    assertEquals(base.tensor().spec().shape().rank() - 1, selected.spec().shape().rank());
    return new Modelled(selected, slice.places(), slice.cuts());
  }

  private static Modelled stack(List<Modelled> parts, int dim) {
    NamedTensor stacked =
        NamedTensor.stacked("whole", dim, parts.stream().map(Modelled::tensor).toList());
    assertEquals("whole", stacked.name());
    assertEquals(parts.size(), stacked.spec().shape().dim(dim));
    long inner = 1;
    for (int i = dim + 1; i < stacked.spec().shape().rank(); i++) {
      inner *= stacked.spec().shape().dim(i);
    }
    List<LayoutModel.Place> places = new ArrayList<>();
    int cuts = 4;
    for (long at = 0; at < parts.get(0).places().size(); at += inner) {
      for (Modelled part : parts) {
        places.addAll(part.places().subList((int) at, (int) (at + inner)));
      }
    }
    for (Modelled part : parts) {
      cuts += part.cuts();
    }
    return new Modelled(stacked, places, cuts);
  }

  private static int[] shape(SplittableRandom random) {
    int[] dims = new int[random.nextInt(1, 4)];
    for (int i = 0; i < dims.length; i++) {
      dims[i] = random.nextInt(12) == 0 ? 0 : random.nextInt(1, 5);
    }
    return dims;
  }

  /** A stored view in any order of dimensions, a flat or a partitioned tensor. */
  private static Modelled random(SplittableRandom random, int[] dims) {
    long[] lengths = new long[dims.length];
    for (int i = 0; i < dims.length; i++) {
      lengths[i] = dims[i];
    }
    Shape shape = Shape.of(lengths);
    return switch (random.nextInt(shape.elements() == 0 ? 3 : 4)) {
      case 3 -> grid(random, shape);
      case 0 -> stored(random, shape);
      case 1 -> flat(random, shape);
      default -> partitioned(random, shape);
    };
  }

  private static Modelled stored(SplittableRandom random, Shape shape) {
    int rank = shape.rank();
    long[] strides = new long[rank];
    List<Integer> order = new ArrayList<>();
    for (int i = 0; i < rank; i++) {
      order.add(random.nextInt(order.size() + 1), i);
    }
    long stride = random.nextInt(8) == 0 ? 2 : 1;
    for (int i : order) {
      strides[i] = stride;
      stride *= Math.max(1, shape.dim(i)) + (random.nextInt(8) == 0 ? 1 : 0);
    }
    StorageRef storage =
        LayoutModel.storage(random.nextInt(FILES), "stored/" + random.nextInt(), stride + 8);
    long offset = random.nextInt(4);
    List<LayoutModel.Place> places = new ArrayList<>();
    for (long i = 0; i < shape.elements(); i++) {
      long at = offset;
      long rest = i;
      for (int d = rank - 1; d >= 0; d--) {
        at += rest % shape.dim(d) * strides[d];
        rest /= shape.dim(d);
      }
      places.add(new LayoutModel.Place(storage, at));
    }
    return new Modelled(
        tensor(shape, new StoredLayout(storage, offset, shape, strides)), places, 4);
  }

  private static Modelled flat(SplittableRandom random, Shape shape) {
    List<FlatBuffer.StorageRun> pieces = new ArrayList<>();
    long length = 0;
    while (length < shape.elements() + 1 || random.nextInt(3) > 0) {
      long piece = random.nextInt(1 + (int) Math.max(4, shape.elements()));
      StorageRef storage =
          LayoutModel.storage(random.nextInt(FILES), "flat/" + random.nextInt(), piece + 2);
      pieces.add(new FlatBuffer.StorageRun(storage, random.nextInt(3), piece));
      length += piece;
    }
    FlatBuffer buffer = new FlatBuffer(pieces);
    int start = random.nextInt((int) (length - shape.elements()) + 1);
    int elements = (int) shape.elements();
    return new Modelled(
        tensor(shape, new FlatLayout(buffer, start, elements)),
        LayoutModel.placesOf(buffer).subList(start, start + elements),
        4 + pieces.size());
  }

  private static Modelled partitioned(SplittableRandom random, Shape shape) {
    int world = random.nextInt(1, 5);
    long slice = PartitionedLayout.sliceOf(shape.elements(), world);
    int offset = random.nextInt(3);
    List<FlatBuffer> ranks = new ArrayList<>();
    List<LayoutModel.Place> places = new ArrayList<>();
    for (int r = 0; r < world; r++) {
      StorageRef storage =
          LayoutModel.storage(r, "rank" + r + "/" + random.nextInt(), offset + slice);
      ranks.add(new FlatBuffer(List.of(new FlatBuffer.StorageRun(storage, 0, offset + slice))));
      places.addAll(LayoutModel.placesOf(ranks.get(r)).subList(offset, offset + (int) slice));
    }
    Layout layout = new PartitionedLayout(new RankBuffers(ranks), offset, shape.elements());
    return new Modelled(tensor(shape, layout), places.subList(0, (int) shape.elements()), 4);
  }

  /** Slices along one dimension, each in a storage of its own. */
  private static Modelled grid(SplittableRandom random, Shape shape) {
    int dim = random.nextInt(shape.rank());
    List<GridLayout.Block> blocks = new ArrayList<>();
    List<StorageRef> storages = new ArrayList<>();
    List<Long> starts = new ArrayList<>();
    long length = shape.elements() / shape.dim(dim);
    for (long from = 0; from < shape.dim(dim); ) {
      long count = 1 + random.nextLong(shape.dim(dim) - from);
      long[] dims = shape.dims();
      dims[dim] = count;
      StorageRef storage =
          LayoutModel.storage(random.nextInt(FILES), "grid/" + random.nextInt(), length * count);
      List<Long> offsets = new ArrayList<>(Collections.nCopies(shape.rank(), 0L));
      offsets.set(dim, from);
      blocks.add(
          new GridLayout.Block(
              offsets, Shape.of(dims), StoredLayout.contiguous(storage, 0, Shape.of(dims))));
      storages.add(storage);
      starts.add(from);
      from += count;
    }
    long inner = 1;
    for (int d = dim + 1; d < shape.rank(); d++) {
      inner *= shape.dim(d);
    }
    List<LayoutModel.Place> places = new ArrayList<>();
    for (long at = 0; at < shape.elements(); at++) {
      long index = at / inner % shape.dim(dim);
      int block = starts.size() - 1;
      while (starts.get(block) > index) {
        block--;
      }
      long count =
          (block + 1 < starts.size() ? starts.get(block + 1) : shape.dim(dim)) - starts.get(block);
      long row = at / inner / shape.dim(dim) * count + index - starts.get(block);
      places.add(new LayoutModel.Place(storages.get(block), row * inner + at % inner));
    }
    return new Modelled(
        tensor(shape, new GridLayout(shape, blocks)), places, 4 + (int) shape.elements());
  }

  private static NamedTensor tensor(Shape shape, Layout layout) {
    return new NamedTensor(new TensorSpec("t", DType.F32, shape), layout);
  }

  private static Modelled narrow(SplittableRandom random, Modelled base) {
    int dim = random.nextInt(base.tensor().spec().shape().rank());
    int from = random.nextInt((int) base.dim(dim) + 1);
    return narrow(base, dim, from, random.nextInt((int) base.dim(dim) - from + 1));
  }

  private static Modelled narrow(Modelled base, int dim, long from, long length) {
    List<LayoutModel.Place> places = new ArrayList<>();
    long inner = 1;
    for (int i = dim + 1; i < base.tensor().spec().shape().rank(); i++) {
      inner *= base.dim(i);
    }
    for (int i = 0; i < base.places().size(); i++) {
      long index = i / inner % base.dim(dim);
      if (index >= from && index < from + length) {
        places.add(base.places().get(i));
      }
    }
    NamedTensor narrowed = base.tensor().narrowed("part", dim, from, length);
    assertEquals("part", narrowed.name());
    assertEquals(length, narrowed.spec().shape().dim(dim));
    return new Modelled(narrowed, places, base.cuts() + 2);
  }

  private static Modelled join(SplittableRandom random, int[] dims, boolean nested) {
    int dim = random.nextInt(dims.length);
    List<Modelled> parts = new ArrayList<>();
    int count = random.nextInt(1, 4);
    for (int i = 0; i < count; i++) {
      int[] part = dims.clone();
      part[dim] = random.nextInt(5);
      if (nested) {
        part[dim] += 1;
        Modelled wide = random(random, part);
        parts.add(narrow(wide, dim, random.nextInt(2), part[dim] - 1));
      } else {
        parts.add(random(random, part));
      }
    }
    return join(parts, dim);
  }

  private static Modelled join(List<Modelled> parts, int dim) {
    NamedTensor joined =
        NamedTensor.joined("whole", dim, parts.stream().map(Modelled::tensor).toList());
    assertEquals("whole", joined.name());
    long outer = 1;
    for (int i = 0; i < dim; i++) {
      outer *= joined.spec().shape().dim(i);
    }
    List<LayoutModel.Place> places = new ArrayList<>();
    int cuts = 4;
    for (int row = 0; row < outer; row++) {
      for (Modelled part : parts) {
        int length = (int) (part.places().size() / outer);
        places.addAll(part.places().subList(row * length, (row + 1) * length));
      }
    }
    for (Modelled part : parts) {
      cuts += part.cuts();
    }
    return new Modelled(joined, places, cuts);
  }

  /** What bounds memory: rows of a tensor that lies in one piece are one run each. */
  @Test
  void knowsHowLongItsRunsAre() {
    StorageRef storage = LayoutModel.storage(0, "data/0", 6000);
    FlatBuffer buffer = new FlatBuffer(List.of(new FlatBuffer.StorageRun(storage, 0, 6000)));
    NamedTensor flat = tensor(Shape.of(60, 100), new FlatLayout(buffer, 0, 6000));
    assertEquals(2000, flat.narrowed("p", 0, 20, 20).layout().granularity());
    assertEquals(30, flat.narrowed("p", 1, 20, 30).layout().granularity());
    NamedTensor joined = NamedTensor.joined("j", 1, List.of(flat.narrowed("p", 1, 20, 30), flat));
    assertEquals(10, joined.layout().granularity());
    List<FlatBuffer> ranks = List.of(buffer, buffer, buffer);
    NamedTensor cut =
        tensor(Shape.of(60, 100), new PartitionedLayout(new RankBuffers(ranks), 0, 6000));
    assertEquals(10, cut.narrowed("p", 1, 20, 30).layout().granularity());
    assertEquals(1, cut.narrowed("p", 1, 20, 1).layout().granularity());
    assertEquals(1, cut.narrowed("p", 1, 20, 0).layout().granularity());
  }

  /** A stored tensor stays a view of its storage, which is read in fewer and longer runs. */
  @Test
  void narrowsAViewToAView() {
    StorageRef storage = LayoutModel.storage(0, "data/0", 12);
    Layout transposed = new StoredLayout(storage, 0, Shape.of(3, 4), new long[] {1, 3});
    assertEquals(
        new StoredLayout(storage, 3, Shape.of(3, 2), new long[] {1, 3}),
        tensor(Shape.of(3, 4), transposed).narrowed("p", 1, 1, 2).layout());
  }

  @Test
  void keepsTheLayoutOfAWhole() {
    NamedTensor whole = partitioned(new SplittableRandom(1), Shape.of(3, 4)).tensor();
    assertEquals(whole.layout(), whole.narrowed("n", 1, 0, 4).layout());
    assertEquals(whole.layout(), NamedTensor.joined("j", 0, List.of(whole)).layout());
    assertEquals(new TensorSpec("r", DType.F32, Shape.of(3, 4)), whole.renamed("r").spec());
    assertEquals(whole.layout(), whole.renamed("r").layout());
  }

  @Test
  void refusesWhatIsNotThere() {
    NamedTensor tensor = flat(new SplittableRandom(1), Shape.of(3, 4)).tensor();
    assertThrows(IndexOutOfBoundsException.class, () -> tensor.narrowed("p", 2, 0, 1));
    assertThrows(IndexOutOfBoundsException.class, () -> tensor.narrowed("p", -1, 0, 1));
    assertThrows(IndexOutOfBoundsException.class, () -> tensor.narrowed("p", 0, 2, 2));
    assertThrows(IndexOutOfBoundsException.class, () -> tensor.narrowed("p", 0, -1, 2));
    Layout layout = tensor.layout();
    assertThrows(IndexOutOfBoundsException.class, () -> new NarrowedLayout(layout, 3, 4, 2, 3));
    IllegalArgumentException e =
        assertThrows(IllegalArgumentException.class, () -> new NarrowedLayout(layout, 2, 5, 0, 1));
    assertEquals("2 rows of 5 in a layout of 12 elements", e.getMessage());
    assertThrows(
        IllegalArgumentException.class,
        () -> new NarrowedLayout(layout, 1L << 62, (1L << 62) + 3, 0, 1));
  }

  @Test
  void refusesPartsThatDoNotGoTogether() {
    NamedTensor a = flat(new SplittableRandom(1), Shape.of(3, 4)).tensor();
    NamedTensor b = flat(new SplittableRandom(1), Shape.of(2, 4)).tensor();
    NamedTensor flat = flat(new SplittableRandom(1), Shape.of(12)).tensor();
    assertEquals(Shape.of(5, 4), NamedTensor.joined("j", 0, List.of(a, b)).spec().shape());
    assertThrows(IllegalArgumentException.class, () -> NamedTensor.joined("j", 1, List.of(a, b)));
    assertThrows(
        IllegalArgumentException.class, () -> NamedTensor.joined("j", 0, List.of(a, flat)));
    assertThrows(IndexOutOfBoundsException.class, () -> NamedTensor.joined("j", 2, List.of(a)));
    refusesJoin("no parts for j", () -> NamedTensor.joined("j", 0, List.of()));
    refusesJoin("0 parts of 1 rows", () -> new JoinedLayout(1, List.of()));
    refusesJoin("1 parts of 0 rows", () -> new JoinedLayout(0, List.of(a.layout())));
    refusesJoin("a part of 12 elements in 5 rows", () -> new JoinedLayout(5, List.of(a.layout())));
    StorageRef half = new StorageRef(0, "data/0", 0, DType.F16, 4, StorageRef.Endian.LITTLE, 0);
    Layout other = StoredLayout.contiguous(half, 0, Shape.of(4));
    refusesJoin("parts of F32 and F16", () -> new JoinedLayout(1, List.of(a.layout(), other)));
    StorageRef huge =
        new StorageRef(0, "data/0", 0, DType.U8, 1L << 62, StorageRef.Endian.LITTLE, 0);
    Layout large = StoredLayout.contiguous(huge, 0, Shape.of(1L << 62));
    refusesJoin("parts of too many elements", () -> new JoinedLayout(1, List.of(large, large)));
  }

  private static void refusesJoin(String message, Runnable join) {
    IllegalArgumentException e = assertThrows(IllegalArgumentException.class, join::run);
    assertEquals(message, e.getMessage());
  }
}
