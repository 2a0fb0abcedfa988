package dev.reweave.tensor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.PatternSyntaxException;
import org.junit.jupiter.api.Test;

/** Wholes of the slices that tensor-parallel ranks have: each element is told by its rank. */
class SlicingTest {
  /** Element {@code i} of rank {@code r}, which lies in file {@code r}, is {@code r:i}. */
  private static NamedTensor slice(int rank, DType type, long... dims) {
    Shape shape = Shape.of(dims);
    StorageRef storage =
        new StorageRef(
            rank,
            "data/0",
            64,
            type,
            shape.elements(),
            StorageRef.Endian.LITTLE,
            StorageRef.NO_CRC);
    return new NamedTensor(
        new TensorSpec("w", type, shape), StoredLayout.contiguous(storage, 0, shape));
  }

  private static NamedTensor slice(int rank, long... dims) {
    return slice(rank, DType.F32, dims);
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
    return tensor.name() + tensor.spec().shape() + " " + String.join(" ", elements);
  }

  private static void refused(String message, Slicing slicing, NamedTensor... slices) {
    refused(message, () -> slicing.whole(List.of(slices)));
  }

  private static void refused(String message, Runnable run) {
    assertEquals(message, assertThrows(IllegalArgumentException.class, run::run).getMessage());
  }

  @Test
  void sharesOfADimensionAreJoined() {
    assertEquals(
        "w[3, 2] 0:0 0:1 1:0 1:1 1:2 1:3",
        elements(new Slicing.Along(0).whole(List.of(slice(0, 1, 2), slice(1, 2, 2)))));
    assertEquals(
        "w[2, 3] 0:0 1:0 1:1 0:1 1:2 1:3",
        elements(new Slicing.Along(1).whole(List.of(slice(0, 2, 1), slice(1, 2, 2)))));
  }

  @Test
  void slicesGoTogether() {
    Slicing rows = new Slicing.Along(0);

    refused("there is no dimension 2 in shape [2, 2]", new Slicing.Along(2), slice(0, 2, 2));
    refused("there is no dimension 0 in shape []", rows, slice(0), slice(1));
    refused(
        "slices of F32 [2, 2] and F16 [2, 2] do not go together along dimension 0",
        rows,
        slice(0, 2, 2),
        slice(1, DType.F16, 2, 2));
    refused(
        "slices of F32 [2, 2] and F32 [2, 3] do not go together along dimension 0",
        rows,
        slice(0, 2, 2),
        slice(1, 2, 3));
    refused(
        "slices of F32 [2, 2] and F32 [2] do not go together along dimension 1",
        new Slicing.Along(1),
        slice(0, 2, 2),
        slice(1, 2));
  }

  @Test
  void copiesAreAlike() {
    Slicing copied = new Slicing.Copied(CombinedLayout.Kind.REPLICATED);

    NamedTensor whole = copied.whole(List.of(slice(0, 2, 2), slice(1, 2, 2)));

    assertEquals(new TensorSpec("w", DType.F32, Shape.of(2, 2)), whole.spec());
    assertEquals(2, whole.layout().width());
    assertFalse(whole.layout().isComputed());
    refused("slices of F32 [2, 2] and F32 [4] are no copies", copied, slice(0, 2, 2), slice(1, 4));
    Slicing averaged = new Slicing.Copied(CombinedLayout.Kind.AVERAGED);
    assertTrue(averaged.whole(List.of(slice(0, 2), slice(1, 2))).layout().isComputed());
  }

  /** As a fused projection of queries, keys and values: each rank has its heads of all three. */
  @Test
  void evenPartsLieEndToEnd() {
    Slicing thirds = new Slicing.EvenParts(0, 3);

    assertEquals(
        "w[6] 0:0 1:0 0:1 1:1 0:2 1:2", elements(thirds.whole(List.of(slice(0, 3), slice(1, 3)))));
    assertEquals(
        "w[9] 0:0 1:0 1:1 0:1 1:2 1:3 0:2 1:4 1:5",
        elements(thirds.whole(List.of(slice(0, 3), slice(1, 6)))));
    refused("dimension 0 of [4] has not 3 parts", thirds, slice(0, 3), slice(1, 4));
    refused("there is no dimension 1 in shape [3]", new Slicing.EvenParts(1, 3), slice(0, 3));
    assertEquals(
        "w[2] 0:0 1:0",
        elements(new Slicing.EvenParts(0, 1).whole(List.of(slice(0, 1), slice(1, 1)))));
  }

  /** As with fewer heads of keys and values than of queries. */
  @Test
  void sizedPartsAreSharedEqually() {
    Slicing sized = new Slicing.SizedParts(0, List.of(4L, 2L));

    assertEquals(
        "w[6] 0:0 0:1 1:0 1:1 0:2 1:2", elements(sized.whole(List.of(slice(0, 3), slice(1, 3)))));
    refused(
        "a part of 3 is not shared equally by 2 ranks",
        new Slicing.SizedParts(0, List.of(4L, 3L)),
        slice(0, 3),
        slice(1, 4));
  }

  @Test
  void partsOfUnequalSharesFillTheirSlices() {
    Slicing parts = new Slicing.Parts(0, List.of(List.of(2L, 1L), List.of(0L, 1L)));

    assertEquals("w[4] 0:0 0:1 1:0 1:1", elements(parts.whole(List.of(slice(0, 2), slice(1, 2)))));
    String widths = "parts of widths [[2, 1], [0, 1]] do not fill dimension 0 of a slice of shape ";
    refused(widths + "[3]", parts, slice(0, 3), slice(1, 2));
    refused(widths + "[1]", parts, slice(0, 2), slice(1, 1));
    refused(
        "parts of widths [[-1]] do not fill dimension 0 of a slice of shape [2]",
        new Slicing.Parts(0, List.of(List.of(-1L))),
        slice(0, 2));
    refused(
        "widths [2, 1] of a part are not of 3 ranks", parts, slice(0, 2), slice(1, 2), slice(2, 2));
    refused(
        "slices of F32 [2, 2] and F32 [2, 1] do not go together along dimension 0",
        parts,
        slice(0, 2, 2),
        slice(1, 2, 1));
  }

  @Test
  void theEndOfAPaddedVocabularyIsCutOff() {
    Slicing rows = new Slicing.Along(0);
    List<NamedTensor> slices = List.of(slice(0, 2, 1), slice(1, 2, 1));

    assertEquals("w[3, 1] 0:0 0:1 1:0", elements(new Slicing.Padded(rows, 3).whole(slices)));
    assertEquals("w[4, 1] 0:0 0:1 1:0 1:1", elements(new Slicing.Padded(rows, 4).whole(slices)));
    assertEquals("w[0, 1] ", elements(new Slicing.Padded(rows, 0).whole(slices)));
    refused(
        "a vocabulary of 5 in a tensor of shape [4, 1]",
        () -> new Slicing.Padded(rows, 5).whole(slices));
    refused(
        "a vocabulary of 1 in a tensor of shape []",
        new Slicing.Padded(new Slicing.Copied(CombinedLayout.Kind.REPLICATED), 1),
        slice(0));
    refused("a vocabulary of -1", () -> new Slicing.Padded(rows, -1));
  }

  @Test
  void refusesWhatIsNoSlicing() {
    refused("dimension -1", () -> new Slicing.Along(-1));
    refused("dimension -2", () -> new Slicing.EvenParts(-2, 3));
    refused("0 parts", () -> new Slicing.EvenParts(0, 0));
    refused("dimension -1", () -> new Slicing.SizedParts(-1, List.of(1L)));
    refused("dimension -1", () -> new Slicing.Parts(-1, List.of()));
  }

  /** A name matches as a whole. */
  @Test
  void rulesAreForNamesFromEndToEnd() {
    SlicingRule rule = new SlicingRule(".*\\.dense\\.weight", new Slicing.Along(1));

    assertTrue(rule.matches("layers.0.dense.weight"));
    assertFalse(rule.matches("layers.0.dense.weight_scale"));
    assertThrows(PatternSyntaxException.class, () -> new SlicingRule("a(", new Slicing.Along(1)));
  }
}
