package dev.reweave.tensor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class FlatLayoutTest {
  private static final StorageRef STORAGE = LayoutModel.storage(0, "data/0", 10);

  @Test
  void placesRandomSplits() {
    SplittableRandom random = new SplittableRandom(2);
    for (int i = 0; i < 500; i++) {
      FlatBuffer buffer = LayoutModel.randomBuffer(random, 3, "data");
      int length = (int) buffer.elements();
      int start = random.nextInt(length + 1);
      int elements = random.nextInt(length - start + 1);
      List<LayoutModel.Place> places = LayoutModel.placesOf(buffer);
      new LayoutModel(places.subList(start, start + elements))
          .check(new FlatLayout(buffer, start, elements), 4, buffer.pieces().size());
    }
  }

  @Test
  void refusesWhatLeavesTheBuffer() {
    FlatBuffer buffer = new FlatBuffer(List.of(new FlatBuffer.StorageRun(STORAGE, 2, 8)));
    assertThrows(IndexOutOfBoundsException.class, () -> new FlatLayout(buffer, -1, 1));
    assertThrows(IndexOutOfBoundsException.class, () -> new FlatLayout(buffer, 0, -1));
    assertThrows(IndexOutOfBoundsException.class, () -> new FlatLayout(buffer, 9, 0));
    assertThrows(IndexOutOfBoundsException.class, () -> new FlatLayout(buffer, 1, Long.MAX_VALUE));
    IndexOutOfBoundsException e =
        assertThrows(IndexOutOfBoundsException.class, () -> new FlatLayout(buffer, 1, 8));
    assertEquals("Range [1, 1 + 8) out of bounds for length 8", e.getMessage());
  }

  @Test
  void refusesAPieceThatLeavesItsStorage() {
    assertThrows(IndexOutOfBoundsException.class, () -> new FlatBuffer.StorageRun(STORAGE, -1, 1));
    assertThrows(IndexOutOfBoundsException.class, () -> new FlatBuffer.StorageRun(STORAGE, 10, 1));
    assertThrows(
        IndexOutOfBoundsException.class,
        () -> new FlatBuffer.StorageRun(STORAGE, 1, Long.MAX_VALUE));
  }

  @Test
  void refusesABufferThatCannotBe() {
    StorageRef half = storage(DType.F16, 4);
    StorageRef huge = storage(DType.U8, Long.MAX_VALUE - 64);
    refuses("a flat buffer of no pieces", List.of());
    refuses(
        "a flat buffer of F32 and F16",
        List.of(new FlatBuffer.StorageRun(STORAGE, 0, 4), new FlatBuffer.StorageRun(half, 0, 4)));
    FlatBuffer.StorageRun piece = new FlatBuffer.StorageRun(huge, 0, huge.elements());
    refuses("a flat buffer of too many elements", List.of(piece, piece));
  }

  private static StorageRef storage(DType type, long elements) {
    return new StorageRef(
        0, "data/1", 64, type, elements, StorageRef.Endian.LITTLE, StorageRef.NO_CRC);
  }

  private static void refuses(String message, List<FlatBuffer.StorageRun> pieces) {
    IllegalArgumentException e =
        assertThrows(IllegalArgumentException.class, () -> new FlatBuffer(pieces));
    assertEquals(message, e.getMessage());
  }
}
