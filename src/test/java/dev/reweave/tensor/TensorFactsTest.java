package dev.reweave.tensor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What types, shapes, storages and layouts tell of themselves. */
class TensorFactsTest {
  private static final long HUGE = 1L << 62;

  private static StorageRef storage(DType type, long elements, long crc) {
    return new StorageRef(4, "data/7", 128, type, elements, StorageRef.Endian.BIG, crc);
  }

  private static Layout copies(CombinedLayout.Kind kind, int count, Shape shape) {
    StorageRef storage = storage(DType.F32, shape.elements(), StorageRef.NO_CRC);
    return new CombinedLayout(
        kind, Collections.nCopies(count, StoredLayout.contiguous(storage, 0, shape)));
  }

  @Test
  void storagesHaveBytesAndPerhapsAChecksum() {
    StorageRef storage = storage(DType.BF16, 5, 0xFFFFFFFFL);

    assertEquals(10, storage.bytes());
    assertTrue(storage.hasCrc());
    assertTrue(storage(DType.F32, 1, 0).hasCrc(), "0 is a checksum");
    assertFalse(storage(DType.F32, 1, StorageRef.NO_CRC).hasCrc());
    assertEquals(
        new StorageRef(9, "data/7", 128, DType.BF16, 5, StorageRef.Endian.BIG, 0xFFFFFFFFL),
        storage.inFile(9));
  }

  @Test
  void viewsSayWhatTheyView() {
    StorageRef storage = storage(DType.F32, 10, 1);
    StoredLayout view = StoredLayout.contiguous(storage, 3, Shape.of(2));

    assertEquals(storage, view.storage());
    assertEquals(3, view.offset());
    assertEquals(1, view.width());
    assertFalse(view.isComputed());
    assertEquals(2, view.storedElements());
  }

  /** A dense block is one run however its dimensions lie; one with gaps is a run for each row. */
  @Test
  void aDenseViewIsOneRunOfItsFile() {
    StorageRef storage = storage(DType.F32, 60, 1);

    assertEquals(
        List.of("3+24"), runsIn(new StoredLayout(storage, 3, Shape.of(2, 3, 4), strides(1, 8, 2))));
    assertEquals(
        List.of("0+12"),
        runsIn(new StoredLayout(storage, 0, Shape.of(3, 1, 4), strides(1, 50, 3))));
    assertEquals(
        List.of("0+2", "4+2"), runsIn(new StoredLayout(storage, 0, Shape.of(2, 2), strides(4, 1))));
    assertEquals(
        List.of("0+1", "2+1"), runsIn(new StoredLayout(storage, 0, Shape.of(2), strides(2))));
  }

  private static long[] strides(long... strides) {
    return strides;
  }

  private static List<String> runsIn(Layout layout) {
    List<String> runs = new ArrayList<>();
    layout.runsIn(4, (storage, offset, elements) -> runs.add(offset + "+" + elements));
    layout.runsIn(3, (storage, offset, elements) -> runs.add("in another file"));
    return runs;
  }

  @Test
  void copiesOfATensorAreCounted() {
    Layout averaged = copies(CombinedLayout.Kind.AVERAGED, 3, Shape.of(4, 6));

    assertEquals(24, averaged.elements());
    assertEquals(3, averaged.width());
    assertEquals(72, averaged.storedElements());
    assertEquals(8, averaged.granularity());
    assertTrue(averaged.isComputed());
    assertFalse(copies(CombinedLayout.Kind.REPLICATED, 3, Shape.of(4)).isComputed());
    assertFalse(copies(CombinedLayout.Kind.AVERAGED, 1, Shape.of(4)).isComputed());
    assertEquals(1, copies(CombinedLayout.Kind.AVERAGED, 3, Shape.of(2)).granularity());
  }

  @Test
  void partsAndWholesOfAveragesAreAverages() {
    Layout averaged = copies(CombinedLayout.Kind.AVERAGED, 3, Shape.of(4, 6));
    Layout plain =
        StoredLayout.contiguous(storage(DType.F32, 24, StorageRef.NO_CRC), 0, Shape.of(4, 6));
    Layout part = new NarrowedLayout(averaged, 4, 6, 1, 2);
    Layout joined = new JoinedLayout(4, List.of(plain, averaged));

    assertTrue(part.isComputed());
    assertEquals(3, part.width());
    assertEquals(24, part.storedElements());
    assertTrue(joined.isComputed());
    assertEquals(3, joined.width());
    assertEquals(24 + 72, joined.storedElements());
    assertFalse(new JoinedLayout(4, List.of(plain, plain)).isComputed());
    assertFalse(new NarrowedLayout(plain, 4, 6, 1, 2).isComputed());
  }

  @ParameterizedTest
  @CsvSource({
    "bfloat16, BF16",
    "half, F16",
    "float, F32",
    "Double, F64",
    "short, I16",
    "int, I32",
    "long, I64",
    "cfloat, C64",
    "bool, BOOL",
    "uint16, U16"
  })
  void typesAreKnownByTheirTorchNames(String name, DType type) {
    assertEquals(Optional.of(type), DType.ofTorchName(name));
    assertEquals(Optional.of(type), DType.ofTorchName(type.torchName()));
  }

  @Test
  void otherNamesAreNoTypes() {
    assertEquals(Optional.empty(), DType.ofTorchName("complex128"));
    assertEquals(Optional.empty(), DType.ofTorchName(""));
    assertTrue(DType.torchNames().startsWith("bool, "), DType.torchNames());
    assertEquals(DType.values().length, DType.torchNames().split(", ").length);
  }

  @Test
  void shapesAreEqualByTheirDimensions() {
    Set<Shape> shapes = new HashSet<>(List.of(Shape.of(2, 3), Shape.of(3, 2), Shape.of(6)));

    assertEquals(3, shapes.size());
    assertTrue(shapes.contains(Shape.of(List.of(2L, 3L))));
    assertFalse(shapes.contains(Shape.of(2, 3, 1)));
    assertNotEquals(Shape.of(2, 3), (Object) List.of(2L, 3L));
    assertNotEquals(Shape.of(2, 3).hashCode(), Shape.of(3, 2).hashCode());
  }

  /** Up to what a file can be long. */
  @Test
  void tensorsAreNoLongerThanTheirBytesCanBeCounted() {
    assertEquals(HUGE, new TensorSpec("t", DType.U8, Shape.of(HUGE)).bytes());
    long most = Long.MAX_VALUE / 4;
    assertEquals(most * 4, new TensorSpec("t", DType.F32, Shape.of(most)).bytes());
    assertEquals(
        "tensor t of shape [2305843009213693952] overflows",
        assertThrows(
                IllegalArgumentException.class,
                () -> new TensorSpec("t", DType.F32, Shape.of(most + 1)))
            .getMessage());
  }

  @Test
  void deviationsTellOfBrokenNumbers() {
    assertEquals(7, new Deviation.Broken(1, 2, 4).all());
  }
}
