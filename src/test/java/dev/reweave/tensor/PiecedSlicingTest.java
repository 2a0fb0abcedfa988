package dev.reweave.tensor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

/** Wholes of pieces that ranks have, each element of which is told by its rank. */
class PiecedSlicingTest {
  /** Element {@code i} of rank {@code r}, which lies in file {@code r}, is {@code r:i}. */
  private static NamedTensor slice(int rank, long... dims) {
    Shape shape = Shape.of(dims);
    StorageRef storage = LayoutModel.storage(rank, "data/0", shape.elements());
    return new NamedTensor(
        new TensorSpec("w", DType.F32, shape), StoredLayout.contiguous(storage, 0, shape));
  }

  private static String elements(NamedTensor tensor) {
    List<String> elements = new ArrayList<>();
    tensor
        .layout()
        .runs(
            0,
            tensor.spec().elements(),
            (storage, offset, count) -> {
              for (long i = offset; i < offset + count; i++) {
                elements.add(storage.file() + ":" + i);
              }
            });
    return tensor.spec().shape() + " " + String.join(" ", elements);
  }

  private static Strided strided(Shape shape, long offset, long... strides) {
    return new Strided(shape, offset, LongStream.of(strides).boxed().toList());
  }

  private static SlicePiece piece(Shape shape, Strided whole, Strided slice, Integer... holders) {
    assertEquals(shape, whole.shape());
    return new SlicePiece(whole, slice, 1, Set.of(holders));
  }

  /** Rows one after another in both. */
  private static SlicePiece rows(long from, long at, long count, Integer... holders) {
    Shape shape = Shape.of(count, 2);
    return piece(shape, strided(shape, 2 * from, 2, 1), strided(shape, 2 * at, 2, 1), holders);
  }

  private static PiecedSlicing.Share share(Shape shape, SlicePiece... pieces) {
    return new PiecedSlicing.Share(shape, List.of(pieces));
  }

  /** As GPTBigCode's fused projection: queries are shared, keys and values are with all ranks. */
  private static PiecedSlicing fused() {
    return new PiecedSlicing(
        Shape.of(4, 2),
        List.of(
            share(Shape.of(3, 2), rows(0, 0, 2, 0), rows(3, 2, 1, 0, 1)),
            share(Shape.of(2, 2), rows(2, 0, 1, 1), rows(3, 1, 1, 0, 1))));
  }

  @Test
  void partsThatAllHaveStandBesideThoseOfOne() {
    NamedTensor whole = fused().whole(List.of(slice(0, 3, 2), slice(1, 2, 2)));

    assertEquals("[4, 2] 0:0 0:1 0:2 0:3 1:0 1:1 0:4 0:5 1:2 1:3", elements(whole));
    assertEquals(2, whole.layout().width());
    assertEquals(10, whole.layout().storedElements());
    assertFalse(fused().areCopies());
    assertFalse(fused().areEvenShares());
  }

  /** As a row-parallel weight of which one rank has nothing. */
  @Test
  void aRankMayHaveNothing() {
    Shape all = Shape.of(2, 3);
    Shape none = Shape.of(2, 0);
    PiecedSlicing slicing =
        new PiecedSlicing(
            all,
            List.of(
                share(all, piece(all, strided(all, 0, 3, 1), strided(all, 0, 3, 1), 0)),
                share(none, piece(none, strided(none, 3, 3, 1), strided(none, 0, 0, 1), 1))));

    NamedTensor first = slice(0, 2, 3);
    NamedTensor whole = slicing.whole(List.of(first, slice(1, 2, 0)));

    assertEquals(first.layout(), whole.layout());
    assertEquals("[2, 3] 0:0 0:1 0:2 0:3 0:4 0:5", elements(whole));
    assertEquals(none, slicing.sliceShape(1, 2).orElseThrow());
    assertTrue(slicing.sliceShape(2, 2).isEmpty());
    // Of a tensor without elements nobody has any.
    PiecedSlicing nothing = new PiecedSlicing(none, List.of(share(none), share(none)));
    assertEquals("[2, 0] ", elements(nothing.whole(List.of(slice(0, 2, 0), slice(1, 2, 0)))));
  }

  /** As a fused projection seen as (3, heads, width), while ranks have it as (3 heads, width). */
  @Test
  void theFirstDimensionsOfSlicesMayBeOne() {
    Shape logical = Shape.of(3, 2, 1);
    Shape half = Shape.of(3, 1, 1);
    PiecedSlicing slicing =
        new PiecedSlicing(
            logical,
            List.of(
                share(half, piece(half, strided(half, 0, 2, 1, 1), strided(half, 0, 1, 1, 1), 0)),
                share(half, piece(half, strided(half, 1, 2, 1, 1), strided(half, 0, 1, 1, 1), 1))));

    String all = "0:0 1:0 0:1 1:1 0:2 1:2";
    assertEquals("[6, 1] " + all, elements(slicing.whole(List.of(slice(0, 3, 1), slice(1, 3, 1)))));
    assertEquals("[6] " + all, elements(slicing.whole(List.of(slice(0, 3), slice(1, 3)))));
    assertEquals(
        "[3, 2, 1] " + all, elements(slicing.whole(List.of(slice(0, 3, 1, 1), slice(1, 3, 1, 1)))));
    assertEquals(Shape.of(3, 1), slicing.sliceShape(0, 2).orElseThrow());
  }

  /** Nothing but the order of dimensions differs: the slice is the transpose. */
  @Test
  void dimensionsMayLieInAnotherOrder() {
    Shape shape = Shape.of(2, 3);
    PiecedSlicing slicing =
        new PiecedSlicing(
            shape,
            List.of(
                share(
                    Shape.of(3, 2),
                    piece(shape, strided(shape, 0, 3, 1), strided(shape, 0, 1, 2), 0))));

    refused("rank 0 has shape [2, 3], and its pieces are of [3, 2]", slicing, slice(0, 2, 3));
    assertEquals(
        "[2, 3] 0:0 0:2 0:4 0:1 0:3 0:5", elements(slicing.whole(List.of(slice(0, 3, 2)))));
    assertFalse(slicing.areCopies());
  }

  private static PiecedSlicing copied(double first, double second) {
    Shape shape = Shape.of(2);
    Set<Integer> both = Set.of(0, 1);
    Strided all = Strided.contiguous(shape);
    return new PiecedSlicing(
        shape,
        List.of(
            share(shape, new SlicePiece(all, all, first, both)),
            share(shape, new SlicePiece(all, all, second, both))));
  }

  @Test
  void whatAllHaveIsCopied() {
    NamedTensor whole = copied(1, 1).whole(List.of(slice(0, 2), slice(1, 2)));

    assertInstanceOf(CombinedLayout.class, whole.layout());
    assertTrue(copied(1, 1).areCopies());
    assertFalse(copied(0.5, 0.5).areCopies());
  }

  @Test
  void aScaleIsUndone() {
    NamedTensor whole = copied(0.5, 0.5).whole(List.of(slice(0, 2), slice(1, 2)));

    assertInstanceOf(QuotientLayout.class, whole.layout());
    assertEquals("[2] 0:0 0:1 1:0 1:1", elements(whole));
    refused(
        "the pieces do not make up shape [2]: ranks have [2] at 0 with strides [1] times 0.5 and"
            + " times 0.25",
        copied(0.5, 0.25),
        slice(0, 2),
        slice(1, 2));
    Strided all = Strided.contiguous(Shape.of(2));
    assertEquals(
        "nothing can be divided by 0.0",
        assertThrows(IllegalArgumentException.class, () -> new SlicePiece(all, all, 0, Set.of(0)))
            .getMessage());
  }

  @Test
  void evenSharesAreInOrder() {
    Shape row = Shape.of(1, 2);
    assertTrue(
        new PiecedSlicing(
                Shape.of(2, 2), List.of(share(row, rows(0, 0, 1, 0)), share(row, rows(1, 0, 1, 1))))
            .areEvenShares());
    assertFalse(
        new PiecedSlicing(
                Shape.of(2, 2), List.of(share(row, rows(1, 0, 1, 0)), share(row, rows(0, 0, 1, 1))))
            .areEvenShares());
    assertFalse(
        new PiecedSlicing(
                Shape.of(3, 2),
                List.of(share(Shape.of(2, 2), rows(0, 0, 2, 0)), share(row, rows(2, 0, 1, 1))))
            .areEvenShares());
  }

  private static void refused(String message, PiecedSlicing slicing, NamedTensor... slices) {
    assertEquals(
        message,
        assertThrows(IllegalArgumentException.class, () -> slicing.whole(List.of(slices)))
            .getMessage());
  }

  @Test
  void slicesAreThoseOfThePieces() {
    refused("the pieces are of 2 ranks", fused(), slice(0, 3, 2));
    refused(
        "rank 1 has shape [3, 2], and its pieces are of [2, 2]",
        fused(),
        slice(0, 3, 2),
        slice(1, 3, 2));
    NamedTensor other = slice(1, 2, 2);
    StorageRef halves =
        new StorageRef(1, "h", 64, DType.F16, 4, StorageRef.Endian.LITTLE, StorageRef.NO_CRC);
    refused(
        "slices of F32 and F16",
        fused(),
        slice(0, 3, 2),
        new NamedTensor(
            new TensorSpec("w", DType.F16, other.spec().shape()),
            StoredLayout.contiguous(halves, 0, other.spec().shape())));
  }

  private static PiecedSlicing one(Shape shape, Shape slice, SlicePiece... pieces) {
    return new PiecedSlicing(shape, List.of(share(slice, pieces)));
  }

  @Test
  void piecesFillTheSlice() {
    String place = "the pieces of rank 0 do not fill its slice of shape [3, 2]: ";
    Shape shape = Shape.of(3, 2);
    refused(place + "there is none", one(shape, shape), slice(0, 3, 2));
    refused(
        place + "no block covers the tensor at [4]",
        one(shape, shape, rows(0, 0, 2, 0)),
        slice(0, 3, 2));
    refused(
        place + "the block at [2] of [4] overlaps the block at [0] of [4]",
        one(shape, shape, rows(0, 0, 2, 0), rows(2, 1, 2, 0)),
        slice(0, 3, 2));
    refused(
        place + "[4] at 4 with strides [1] leaves 6 elements",
        one(shape, shape, rows(0, 0, 2, 0), rows(2, 2, 2, 0)),
        slice(0, 3, 2));
  }

  @Test
  void piecesMakeUpTheWhole() {
    String place = "the pieces do not make up shape [4, 2]: ";
    Shape shape = Shape.of(4, 2);
    Shape part = Shape.of(3, 2);
    refused(
        place + "no block covers the tensor at [6]",
        one(shape, part, rows(0, 0, 3, 0)),
        slice(0, 3, 2));
    refused(
        place + "the block at [2] of [4] overlaps the block at [0] of [4]",
        new PiecedSlicing(
            shape,
            List.of(
                share(shape, rows(0, 0, 2, 0), rows(2, 2, 2, 0)),
                share(Shape.of(2, 2), rows(1, 0, 2, 1)))),
        slice(0, 4, 2),
        slice(1, 2, 2));
    refused(
        place + "[6] at 4 with strides [1] leaves 8 elements",
        one(shape, part, rows(2, 0, 3, 0)),
        slice(0, 3, 2));
    refused(
        place + "rank 0 has [2, 2] at 0 with strides [2, 1] twice",
        one(shape, shape, rows(0, 0, 2, 0), rows(0, 2, 2, 0)),
        slice(0, 4, 2));
    refused(
        place
            + "ranks [0] have [4, 2] at 0 with strides [2, 1], and it is said to be held by [0, 1]",
        one(shape, shape, rows(0, 0, 4, 0, 1)),
        slice(0, 4, 2));
  }

  @Test
  void piecesAreBlocks() {
    Shape six = Shape.of(6);
    Shape two = Shape.of(2);
    refused(
        "the pieces do not make up shape [6]: strides [1, 4] are of no tensor of 6 elements",
        one(six, two, piece(two, strided(two, 0, 4), strided(two, 0, 1), 0)),
        slice(0, 2));
    refused(
        "the pieces do not make up shape [6]: strides [0, 1] are of no tensor of 6 elements",
        one(six, two, piece(two, strided(two, 0, 0), strided(two, 0, 1), 0)),
        slice(0, 2));
    Shape eighteen = Shape.of(18);
    Shape across = Shape.of(2, 3);
    refused(
        "the pieces do not make up shape [18]: [2, 3] at 5 with strides [6, 1] is no block of a"
            + " tensor of shape [3, 6]",
        one(eighteen, six, piece(across, strided(across, 5, 6, 1), strided(across, 0, 3, 1), 0)),
        slice(0, 6));
  }
}
