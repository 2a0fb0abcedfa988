package dev.reweave.tensor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class StoredLayoutTest {
  private static final StorageRef STORAGE = LayoutModel.storage(3, "data/0", 100);

  @Test
  void placesRandomViews() {
    SplittableRandom random = new SplittableRandom(1);
    for (int i = 0; i < 2_000; i++) {
      long[] dims = random.longs(random.nextInt(5), 0, 5).map(d -> Math.min(d, 3)).toArray();
      Shape shape = Shape.of(dims);
      long[] strides =
          switch (random.nextInt(3)) {
            case 0 -> shape.rowMajorStrides();
            case 1 -> permuted(shape, random);
            default -> random.longs(dims.length, 0, 12).toArray();
          };
      check(shape, strides, random.nextInt(5));
    }
  }

  /** Strides of a contiguous tensor whose dimensions were permuted. */
  private static long[] permuted(Shape shape, SplittableRandom random) {
    long[] strides = new long[shape.rank()];
    List<Integer> order = new ArrayList<>();
    for (int i = 0; i < strides.length; i++) {
      order.add(random.nextInt(i + 1), i);
    }
    long stride = 1;
    for (int i : order) {
      strides[i] = stride;
      stride *= Math.max(1, shape.dim(i));
    }
    return strides;
  }

  private static void check(Shape shape, long[] strides, long offset) {
    List<LayoutModel.Place> places = new ArrayList<>();
    addPlaces(shape, strides, 0, offset, places);
    new LayoutModel(places).check(new StoredLayout(STORAGE, offset, shape, strides), 5, 0);
  }

  private static void addPlaces(
      Shape shape, long[] strides, int dim, long at, List<LayoutModel.Place> places) {
    if (dim == shape.rank()) {
      places.add(new LayoutModel.Place(STORAGE, at));
      return;
    }
    for (long i = 0; i < shape.dim(dim); i++) {
      addPlaces(shape, strides, dim + 1, at + i * strides[dim], places);
    }
  }

  @Test
  void givesAContiguousViewInOneRun() {
    for (Shape shape : List.of(Shape.SCALAR, Shape.of(4, 5), Shape.of(1, 20, 1), Shape.of(2, 0))) {
      StoredLayout layout = StoredLayout.contiguous(STORAGE, 7, shape);
      List<Long> runs = new ArrayList<>();
      layout.runs(0, layout.elements(), (s, offset, n) -> runs.addAll(List.of(offset, n)));
      assertEquals(shape.elements() == 0 ? List.of() : List.of(7L, shape.elements()), runs);
      assertTrue(layout.isContiguous());
      assertEquals(shape.elements(), layout.piece().elements());
    }
  }

  @Test
  void takesAnyStrideForADimensionOfOne() {
    StoredLayout layout = new StoredLayout(STORAGE, 0, Shape.of(1, 3), new long[] {1L << 62, 1});
    assertTrue(layout.isContiguous());
    assertEquals(StoredLayout.contiguous(STORAGE, 0, Shape.of(1, 3)), layout);
  }

  @Test
  void takesAnEmptyViewBehindTheEnd() {
    StoredLayout layout = StoredLayout.contiguous(STORAGE, 118, Shape.of(0, 6));
    assertEquals(0, layout.piece().elements());
  }

  @Test
  void refusesAPieceWithGaps() {
    StoredLayout layout = new StoredLayout(STORAGE, 0, Shape.of(2, 3), new long[] {4, 1});
    assertFalse(layout.isContiguous());
    assertEquals(
        "not contiguous: shape [2, 3]",
        assertThrows(IllegalArgumentException.class, layout::piece).getMessage());
  }

  @Test
  void refusesViewsOutsideTheStorage() {
    String past = "runs past its storage of 100 elements";
    refuses(-1, new long[] {1}, new long[] {1}, past);
    refuses(100, new long[] {}, new long[] {}, past);
    refuses(91, new long[] {10}, new long[] {1}, past);
    refuses(0, new long[] {2, 10}, new long[] {91, 1}, past);
    refuses(0, new long[] {1L << 40, 1L << 20}, new long[] {0, 1}, past);
    refuses(9, new long[] {10}, new long[] {-1}, "has a negative stride");
    refuses(0, new long[] {3}, new long[] {Long.MAX_VALUE}, "overflows");
    refuses(1, new long[] {2}, new long[] {Long.MAX_VALUE}, "overflows");
    refuses(0, new long[] {3, 3}, new long[] {1L << 62, 1L << 62}, "overflows");
    refuses(0, new long[] {3}, new long[] {1, 1}, "strides [1, 1] for shape [3]");
    refuses(0, new long[] {3}, new long[] {}, "strides [] for shape [3]");
  }

  private static void refuses(long offset, long[] dims, long[] strides, String message) {
    IllegalArgumentException e =
        assertThrows(
            IllegalArgumentException.class,
            () -> new StoredLayout(STORAGE, offset, Shape.of(dims), strides),
            () -> Arrays.toString(dims) + Arrays.toString(strides) + offset);
    assertTrue(e.getMessage().endsWith(message), e::getMessage);
  }

  @Test
  void isEqualToTheSameView() {
    StoredLayout layout = new StoredLayout(STORAGE, 1, Shape.of(2, 3), new long[] {1, 2});
    StoredLayout same = new StoredLayout(STORAGE, 1, Shape.of(2, 3), new long[] {1, 2});
    assertEquals(layout, same);
    assertEquals(layout.hashCode(), same.hashCode());
    assertNotEquals(layout, StoredLayout.contiguous(STORAGE, 1, Shape.of(2, 3)));
    assertNotEquals(layout, new StoredLayout(STORAGE, 0, Shape.of(2, 3), new long[] {1, 2}));
  }

  @Test
  void refusesStoragesThatCannotBe() {
    assertRefused("storage data/0 at 64 of -1 elements of F32", -1);
    assertRefused("storage data/0 at 64 of 2305843009213693952 elements of F32", 1L << 61);
  }

  private static void assertRefused(String message, long elements) {
    IllegalArgumentException e =
        assertThrows(
            IllegalArgumentException.class, () -> LayoutModel.storage(0, "data/0", elements));
    assertEquals(message, e.getMessage());
  }
}
