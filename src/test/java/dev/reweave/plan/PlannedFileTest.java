package dev.reweave.plan;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.tensor.DType;
import dev.reweave.tensor.Layout;
import dev.reweave.tensor.Shape;
import dev.reweave.tensor.StoredLayout;
import dev.reweave.tensor.TensorSpec;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Where the segments of a file lie. */
class PlannedFileTest {
  private static final Segment HEADER = new Segment.Literal(new byte[] {1, 2, 3, 4, 5, 6, 7, 8});

  /** The end of a file, of four bytes. */
  private static final class End implements Segment.Tail {
    private static final long serialVersionUID = 1L;

    @Override
    public long length() {
      return 4;
    }

    @Override
    public byte[] bytes(List<Integer> crc32) {
      return new byte[4];
    }
  }

  /** A header of 8 bytes, a tensor of 12, two empty ones, one of 6, and an end of 4. */
  private static PlannedFile file() {
    return new PlannedFile(
        "a.bin",
        PlannedFile.Role.WEIGHTS,
        List.of(
            HEADER,
            PlanSamples.ofTensor("three", DType.F32, 3),
            PlanSamples.ofTensor("none", DType.F32, 0),
            PlanSamples.ofTensor("nothing", DType.F32, 2, 0),
            PlanSamples.ofTensor("half", DType.BF16, 3),
            new End()));
  }

  @Test
  void segmentsFollowEachOtherWithoutGaps() {
    PlannedFile file = file();

    assertEquals(List.of(0L, 8L, 20L, 20L, 20L, 26L), positions(file));
    assertEquals(30, file.length());
    assertEquals(26, file.tailStart());
    assertTrue(file.hasTail());
    assertEquals(
        List.of("three", "none", "nothing", "half"),
        file.tensors().stream().map(t -> t.spec().name()).toList());
    assertEquals(18, file.bytesToRead());
  }

  private static List<Long> positions(PlannedFile file) {
    return List.of(
        file.position(0),
        file.position(1),
        file.position(2),
        file.position(3),
        file.position(4),
        file.position(5));
  }

  @Test
  void aByteIsFoundInItsSegment() {
    PlannedFile file = file();

    assertEquals(0, file.segmentAt(0));
    assertEquals(0, file.segmentAt(7));
    assertEquals(1, file.segmentAt(8));
    assertEquals(1, file.segmentAt(19));
    // The empty ones, which start there, too.
    assertEquals(2, file.segmentAt(20));
    assertEquals(4, file.segmentAt(21));
    assertEquals(4, file.segmentAt(25));
    assertEquals(5, file.segmentAt(26));
    assertEquals(5, file.segmentAt(29));
  }

  @Test
  void aFileWithoutEndHasNoTail() {
    PlannedFile plain =
        new PlannedFile(
            "a", PlannedFile.Role.COPY, List.of(HEADER, PlanSamples.ofTensor("t", DType.I8, 2)));
    PlannedFile empty = new PlannedFile("b", PlannedFile.Role.COPY, List.of());

    assertEquals(10, plain.tailStart());
    assertFalse(plain.hasTail());
    assertEquals(0, empty.length());
    assertFalse(empty.hasTail());
  }

  @Test
  void nothingComesBehindATail() {
    IllegalArgumentException refused =
        assertThrows(
            IllegalArgumentException.class,
            () -> new PlannedFile("a.bin", PlannedFile.Role.WEIGHTS, List.of(new End(), HEADER)));

    assertEquals("the tail of a.bin is not its end", refused.getMessage());
  }

  /** Only what has as many elements can be compared. */
  @Test
  void secondCopiesAreThoseOfTensorsOfTheSameLength() {
    Layout three = PlanSamples.ofTensor("module.three", DType.BF16, 3).layout();
    Layout two = PlanSamples.ofTensor("module.half", DType.BF16, 2).layout();

    PlannedFile proven =
        file().provenBy(Map.of("three", three, "half", two, "other", two), Witness.Extent.ALL);

    assertEquals(Map.of(1, three), proven.secondCopies());
    assertEquals(Map.of(), file().secondCopies());
    assertEquals("a.bin", proven.path());
    assertEquals(PlannedFile.Role.WEIGHTS, proven.role());
    assertEquals(file().length(), proven.length());
    assertEquals(18 + 6, proven.bytesToRead());
  }

  @Test
  void aPlanIsProvenFileByFile() {
    Layout three = PlanSamples.ofTensor("module.three", DType.BF16, 3).layout();
    ConversionPlan plan = PlanSamples.plan(64_000, file(), file());

    Witness witness =
        new Witness(PlanSamples.sources(2), Witness.Kind.SECOND_COPY, Witness.Extent.ALL);
    ConversionPlan proven = plan.provenBy(Map.of("three", three), witness);

    assertEquals(Witness.NONE, plan.witness());
    assertEquals(witness, proven.witness());
    assertEquals(
        List.of(Map.of(1, three), Map.of(1, three)),
        proven.files().stream().map(PlannedFile::secondCopies).toList());
    assertEquals(2 * (18 + 6), proven.bytesToRead());
    assertEquals(proven.sources(), proven.work().sources());
    assertEquals(proven.files(), proven.work().files());
    assertEquals(witness.files(), proven.work().second());
  }

  @Test
  void aLiteralGivesItsBytesAndKeepsThem() {
    Segment.Literal literal = new Segment.Literal(new byte[] {1, 2, 3, 4});
    byte[] target = new byte[5];

    literal.copy(1, target, 2, 3);
    literal.bytes()[0] = 9;

    assertArrayEquals(new byte[] {0, 0, 2, 3, 4}, target);
    assertArrayEquals(new byte[] {1, 2, 3, 4}, literal.bytes());
    assertEquals(4, literal.length());
    SmallFile small = new SmallFile("config.json", new byte[] {5, 6});
    small.content()[0] = 9;
    assertArrayEquals(new byte[] {5, 6}, small.content());
    assertEquals("config.json", small.path());
  }

  @Test
  void aTensorHasTheElementsOfItsLayout() {
    Layout two = StoredLayout.contiguous(PlanSamples.storage(0, "s", DType.F32, 2), 0, Shape.of(2));

    IllegalArgumentException refused =
        assertThrows(
            IllegalArgumentException.class,
            () -> new Segment.OfTensor(new TensorSpec("t", DType.F32, Shape.of(3)), two));

    assertEquals("t of 3 units from 2", refused.getMessage());
  }
}
