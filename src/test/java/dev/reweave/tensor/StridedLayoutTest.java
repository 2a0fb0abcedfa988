package dev.reweave.tensor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

/** Views of layouts, against a list of all their elements. */
class StridedLayoutTest {
  private static final int FILES = 3;

  private static List<LayoutModel.Place> places(List<LayoutModel.Place> base, Strided view) {
    List<LayoutModel.Place> places = new ArrayList<>();
    long[] index = new long[view.shape().rank()];
    for (long i = 0; i < view.elements(); i++) {
      long at = view.offset();
      long rest = i;
      for (int d = index.length - 1; d >= 0; d--) {
        at += rest % view.shape().dim(d) * view.strides().get(d);
        rest /= view.shape().dim(d);
      }
      places.add(base.get((int) at));
    }
    return places;
  }

  @Test
  void placesViewsOfFlatBuffers() {
    SplittableRandom random = new SplittableRandom(11);
    int checked = 0;
    for (int i = 0; i < 2000; i++) {
      FlatBuffer buffer = LayoutModel.randomBuffer(random, FILES, "b" + i);
      Shape shape = Shape.of(random.longs(random.nextInt(4), 0, 5).toArray());
      List<Long> strides =
          LongStream.range(0, shape.rank()).map(d -> random.nextInt(6)).boxed().toList();
      Strided view = new Strided(shape, random.nextInt(4), strides);
      FlatLayout base = new FlatLayout(buffer, 0, buffer.elements());
      long last = view.offset();
      for (int d = 0; d < shape.rank(); d++) {
        last += (shape.dim(d) - 1) * strides.get(d);
      }
      if (shape.elements() > 0 && last >= buffer.elements()) {
        assertThrows(IllegalArgumentException.class, () -> new StridedLayout(base, view));
      } else if (shape.elements() <= 40) {
        checked++;
        // Each part of a view can end in any of the buffer's pieces.
        int cuts = (int) shape.elements();
        new LayoutModel(places(LayoutModel.placesOf(buffer), view))
            .check(new StridedLayout(base, view), FILES, cuts);
      }
    }
    assertTrue(checked > 300, () -> "few views fit");
  }

  @Test
  void tellsHowLongItsRunsAre() {
    Layout base = new FlatLayout(buffer(24), 0, 24);

    assertEquals(24, new StridedLayout(base, Strided.contiguous(Shape.of(4, 6))).granularity());
    Strided columns = new Strided(Shape.of(4, 1, 2), 1, List.of(6L, 7L, 1L));
    assertEquals(2, new StridedLayout(base, columns).granularity());
    Strided transposed = new Strided(Shape.of(6, 4), 0, List.of(1L, 6L));
    assertEquals(1, new StridedLayout(base, transposed).granularity());
    assertEquals(1, new StridedLayout(base, columns).width());
    assertEquals(8, new StridedLayout(base, columns).storedElements());
  }

  private static FlatBuffer buffer(long elements) {
    StorageRef storage = LayoutModel.storage(0, "s", elements);
    return new FlatBuffer(List.of(new FlatBuffer.StorageRun(storage, 0, elements)));
  }

  private static void refused(String message, Runnable run) {
    assertEquals(message, assertThrows(IllegalArgumentException.class, run::run).getMessage());
  }

  @Test
  void refusesViewsThatCannotBe() {
    Shape shape = Shape.of(2, 3);
    refused("strides [1] for shape [2, 3]", () -> new Strided(shape, 0, List.of(1L)));
    refused("offset -1 and strides [3, 1]", () -> new Strided(shape, -1, List.of(3L, 1L)));
    refused("offset 0 and strides [-3, 1]", () -> new Strided(shape, 0, List.of(-3L, 1L)));
    refused(
        "strides overflow: [3, 9223372036854775807] for [2, 3]",
        () -> new Strided(shape, 0, List.of(3L, Long.MAX_VALUE)));
    Layout base = new FlatLayout(buffer(5), 0, 5);
    refused(
        "[2, 3] at 0 with strides [3, 1] leaves 5 elements",
        () -> new StridedLayout(base, Strided.contiguous(shape)));
  }
}
