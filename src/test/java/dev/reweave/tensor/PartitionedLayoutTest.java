package dev.reweave.tensor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class PartitionedLayoutTest {

  @Test
  void placesRandomPartitions() {
    SplittableRandom random = new SplittableRandom(3);
    for (int i = 0; i < 500; i++) {
      List<FlatBuffer> buffers = new ArrayList<>();
      int world = random.nextInt(1, 6);
      int cuts = world;
      for (int r = 0; r < world; r++) {
        buffers.add(LayoutModel.randomBuffer(random, 3, "rank" + r));
        cuts += buffers.get(r).pieces().size();
      }
      int shortest = (int) buffers.stream().mapToLong(FlatBuffer::elements).min().orElseThrow();
      int offset = random.nextInt(shortest + 1);
      int elements = random.nextInt(world * (shortest - offset) + 1);
      new LayoutModel(places(buffers, offset, elements))
          .check(new PartitionedLayout(new RankBuffers(buffers), offset, elements), 4, cuts);
    }
  }

  /** As {@code torch.cat} of the slices and a cut give it. */
  private static List<LayoutModel.Place> places(
      List<FlatBuffer> buffers, int offset, int elements) {
    int slice = (int) Math.ceil((double) elements / buffers.size());
    List<LayoutModel.Place> places = new ArrayList<>();
    for (FlatBuffer buffer : buffers) {
      places.addAll(LayoutModel.placesOf(buffer).subList(offset, offset + slice));
    }
    return places.subList(0, elements);
  }

  /** Five elements over four ranks are 2 + 2 + 1 + 0: the last rank holds padding alone. */
  @Test
  void leavesOutRanksOfPadding() {
    List<FlatBuffer> buffers = new ArrayList<>();
    for (int r = 0; r < 4; r++) {
      StorageRef storage = LayoutModel.storage(r, "data/0", 2);
      buffers.add(new FlatBuffer(List.of(new FlatBuffer.StorageRun(storage, 0, 2))));
    }
    PartitionedLayout layout = new PartitionedLayout(new RankBuffers(buffers), 0, 5);
    List<String> runs = new ArrayList<>();
    layout.runs(0, 5, (s, offset, n) -> runs.add(s.file() + ":" + offset + "+" + n));
    assertEquals(List.of("0:0+2", "1:0+2", "2:0+1"), runs);
    layout.runsIn(3, (s, offset, n) -> runs.add("padding"));
    assertEquals(3, runs.size());
  }

  @Test
  void refusesWhatLeavesTheShortestBuffer() {
    List<FlatBuffer> ranks = List.of(buffer(DType.F32, 9), buffer(DType.F32, 8));
    new PartitionedLayout(new RankBuffers(ranks), 3, 10);
    assertThrows(
        IndexOutOfBoundsException.class,
        () -> new PartitionedLayout(new RankBuffers(ranks), 3, 11));
    assertThrows(
        IndexOutOfBoundsException.class,
        () -> new PartitionedLayout(new RankBuffers(ranks), -1, 2));
    assertThrows(
        IndexOutOfBoundsException.class, () -> new PartitionedLayout(new RankBuffers(ranks), 9, 0));
    assertThrows(
        IndexOutOfBoundsException.class,
        () -> new PartitionedLayout(new RankBuffers(ranks), 1, Long.MAX_VALUE));
    IllegalArgumentException e =
        assertThrows(
            IllegalArgumentException.class,
            () -> new PartitionedLayout(new RankBuffers(ranks), 0, -1));
    assertEquals("-1 elements over 2 ranks", e.getMessage());
  }

  @Test
  void refusesRanksThatDoNotGoTogether() {
    refuses("buffers of no ranks", List.of());
    refuses(
        "ranks with buffers of F32 and F16", List.of(buffer(DType.F32, 2), buffer(DType.F16, 2)));
  }

  private static void refuses(String message, List<FlatBuffer> buffers) {
    IllegalArgumentException e =
        assertThrows(
            IllegalArgumentException.class,
            () -> new PartitionedLayout(new RankBuffers(buffers), 0, 0));
    assertEquals(message, e.getMessage());
  }

  private static FlatBuffer buffer(DType type, long elements) {
    StorageRef storage =
        new StorageRef(0, "data/0", 64, type, elements, StorageRef.Endian.LITTLE, 0);
    return new FlatBuffer(List.of(new FlatBuffer.StorageRun(storage, 0, elements)));
  }
}
