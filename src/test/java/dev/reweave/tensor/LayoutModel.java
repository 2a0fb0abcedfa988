package dev.reweave.tensor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.SplittableRandom;

/** A layout as a list of where each element of the tensor lies: slow and plain. */
record LayoutModel(List<Place> places) {

  record Place(StorageRef storage, long element) {
    private static final Comparator<Place> IN_FILES =
        Comparator.comparingInt((Place p) -> p.storage().file())
            .thenComparing(p -> p.storage().name())
            .thenComparingLong(Place::element);
  }

  static StorageRef storage(int file, String name, long elements) {
    return new StorageRef(
        file, name, 64, DType.F32, elements, StorageRef.Endian.LITTLE, StorageRef.NO_CRC);
  }

  /** Storages in {@code files} files, cut into pieces, some of them empty. */
  static FlatBuffer randomBuffer(SplittableRandom random, int files, String name) {
    List<FlatBuffer.StorageRun> pieces = new ArrayList<>();
    int count = random.nextInt(1, 6);
    for (int i = 0; i < count; i++) {
      long length = random.nextInt(4) == 0 ? 0 : random.nextInt(12);
      long offset = random.nextInt(3);
      StorageRef storage =
          storage(random.nextInt(files), name + "/" + i, offset + length + random.nextInt(3));
      pieces.add(new FlatBuffer.StorageRun(storage, offset, length));
    }
    return new FlatBuffer(pieces);
  }

  /** All elements of a buffer, one by one. */
  static List<Place> placesOf(FlatBuffer buffer) {
    List<Place> places = new ArrayList<>();
    for (FlatBuffer.StorageRun piece : buffer.pieces()) {
      for (long i = 0; i < piece.elements(); i++) {
        places.add(new Place(piece.storage(), piece.offset() + i));
      }
    }
    return places;
  }

  /**
   * Compares all ranges of a layout and its runs in each file with this model.
   *
   * @param cuts how often pieces of buffers end in the tensor
   */
  void check(Layout layout, int files, int cuts) {
    int n = places.size();
    assertEquals(n, layout.elements());
    assertEquals(DType.F32, layout.dtype());
    for (int from = 0; from <= n; from++) {
      for (int to = from; to <= n; to++) {
        List<Place> given = new ArrayList<>();
        int[] runs = {0};
        layout.runs(
            from,
            to,
            (storage, offset, elements) -> {
              runs[0]++;
              expand(storage, offset, elements, given);
            });
        assertEquals(places.subList(from, to), given);
        assertTrue(
            runs[0] <= (to - from) / layout.granularity() + 2 + cuts,
            () -> runs[0] + " runs of granularity " + layout.granularity());
      }
    }
    for (int file = 0; file < files; file++) {
      checkIn(layout, file);
    }
    assertThrows(IndexOutOfBoundsException.class, () -> runs(layout, -1, 0));
    assertThrows(IndexOutOfBoundsException.class, () -> runs(layout, 0, n + 1));
    assertThrows(IndexOutOfBoundsException.class, () -> runs(layout, 1, 0));
  }

  private void checkIn(Layout layout, int file) {
    List<Place> given = new ArrayList<>();
    layout.runsIn(file, (storage, offset, elements) -> expand(storage, offset, elements, given));
    given.sort(Place.IN_FILES);
    assertEquals(
        places.stream().filter(p -> p.storage().file() == file).sorted(Place.IN_FILES).toList(),
        given);
  }

  private static void runs(Layout layout, long from, long to) {
    layout.runs(from, to, (storage, offset, elements) -> {});
  }

  private static void expand(StorageRef storage, long offset, long elements, List<Place> places) {
    assertTrue(elements >= 1, "an empty run");
    for (long i = 0; i < elements; i++) {
      places.add(new Place(storage, offset + i));
    }
  }
}
