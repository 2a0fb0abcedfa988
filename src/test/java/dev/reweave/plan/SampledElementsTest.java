package dev.reweave.plan;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.plan.SampledElements.Range;
import dev.reweave.tensor.DType;
import dev.reweave.tensor.FlatBuffer;
import dev.reweave.tensor.FlatLayout;
import dev.reweave.tensor.Layout;
import dev.reweave.tensor.Shape;
import dev.reweave.tensor.StorageRef;
import dev.reweave.tensor.StoredLayout;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class SampledElementsTest {
  private static StorageRef storage(int file, long elements) {
    return new StorageRef(
        file, "data/0", 0, DType.F32, elements, StorageRef.Endian.LITTLE, StorageRef.NO_CRC);
  }

  private static Layout vector(long elements) {
    return StoredLayout.contiguous(storage(0, elements), 0, Shape.of(elements));
  }

  /** A tensor of all elements of so many ranks with as many elements each. */
  private static Layout overRanks(int ranks, long each) {
    List<FlatBuffer.StorageRun> pieces = new ArrayList<>();
    for (int r = 0; r < ranks; r++) {
      pieces.add(new FlatBuffer.StorageRun(storage(r, each), 0, each));
    }
    return new FlatLayout(new FlatBuffer(pieces), 0, ranks * each);
  }

  @Test
  void smallTensorsWhole() {
    assertEquals(List.of(), SampledElements.of(vector(0)));
    assertEquals(List.of(new Range(0, 1)), SampledElements.of(vector(1)));
    assertEquals(List.of(new Range(0, 16)), SampledElements.of(vector(16)));
  }

  /** The ends, and two places off any symmetry. */
  @Test
  void someOfOthers() {
    assertEquals(
        List.of(new Range(0, 8), new Range(381, 445), new Range(618, 682), new Range(992, 1000)),
        SampledElements.of(vector(1000)));
    assertEquals(144, SampledElements.count(vector(1000)));
  }

  @Test
  void bothSidesOfWhereRanksMeet() {
    assertEquals(
        List.of(
            new Range(0, 8),
            new Range(992, 1008),
            new Range(1145, 1209),
            new Range(1854, 1918),
            new Range(1992, 2008),
            new Range(2992, 3000)),
        SampledElements.of(overRanks(3, 1000)));
  }

  @Test
  void moreOfLargeOnes() {
    long step = SampledElements.STEP;
    assertTrue(
        SampledElements.of(vector(3 * step))
            .containsAll(
                List.of(
                    new Range(step / 2, step / 2 + 64),
                    new Range(step / 2 + step, step / 2 + step + 64),
                    new Range(step / 2 + 2 * step, step / 2 + 2 * step + 64))));
    assertEquals(2 * 8 + 5 * 64, SampledElements.count(vector(3 * step)));
  }

  /** A tensor that is stored transposed has as many runs as elements, and no ranks that meet. */
  @Test
  void notWhereEveryElementStandsAlone() {
    long side = 200;
    Layout transposed =
        new StoredLayout(storage(0, side * side), 0, Shape.of(side, side), new long[] {1, side});
    assertEquals(16 + 2 * 64, SampledElements.count(transposed));
  }

  /** What it costs: less than 1 % of what is read, for a model of usual size. */
  @Test
  void littleOfMuch() {
    for (Layout layout : List.of(vector(500_000_000L), overRanks(1_000, 500_000L))) {
      long sampled = SampledElements.count(layout) * DType.BF16.bytes();
      assertTrue(100 * sampled < layout.elements() * DType.F32.bytes(), String.valueOf(sampled));
      assertTrue(SampledElements.of(layout).size() < 300);
    }
  }
}
