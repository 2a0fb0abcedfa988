package dev.reweave.tensor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongFunction;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** A plan stays small: what tensors share is written once, whatever the number of ranks. */
class LayoutSerializationTest {
  private static final int RANKS = 500;

  /** Room for the numbers of one layout; a reference to each rank would take five times more. */
  private static final int BYTES_PER_TENSOR = 60;

  private static FlatBuffer buffer(int file) {
    StorageRef storage = LayoutModel.storage(file, "data/" + file, 1000);
    return new FlatBuffer(
        List.of(
            new FlatBuffer.StorageRun(storage, 0, 600),
            new FlatBuffer.StorageRun(storage, 600, 400)));
  }

  @Test
  void sharesTheBufferOfAGroup() throws Exception {
    List<FlatBuffer.StorageRun> pieces = new ArrayList<>();
    for (int r = 0; r < RANKS; r++) {
      pieces.addAll(buffer(r).pieces());
    }
    FlatBuffer group = new FlatBuffer(pieces);
    checkShared(i -> new FlatLayout(group, i, 100));
  }

  @Test
  void sharesTheBuffersOfRanks() throws Exception {
    RankBuffers ranks =
        new RankBuffers(
            IntStream.range(0, RANKS).mapToObj(LayoutSerializationTest::buffer).toList());
    checkShared(i -> new PartitionedLayout(ranks, i, 100));
  }

  /** One group of ranks for all parts and wholes; each has a layout and those of its parts. */
  @Test
  void sharesTheBuffersOfPartsAndWholes() throws Exception {
    RankBuffers ranks =
        new RankBuffers(
            IntStream.range(0, RANKS).mapToObj(LayoutSerializationTest::buffer).toList());
    Layout base = new PartitionedLayout(ranks, 0, 1000);
    checkShared(i -> new NarrowedLayout(base, 10, 100, i, 1));
    Layout other = new PartitionedLayout(ranks, 1, 1000);
    checkShared(i -> new JoinedLayout(10, i % 2 == 0 ? List.of(base) : List.of(other)));
  }

  @Test
  void sharesAStorage() throws Exception {
    StorageRef storage = LayoutModel.storage(0, "data/" + "0".repeat(1000), 1000);
    List<Layout> one = List.of(StoredLayout.contiguous(storage, 0, Shape.of(10)));
    List<Layout> two = List.of(one.get(0), StoredLayout.contiguous(storage, 10, Shape.of(10)));
    assertTrue(serialize(two).length - serialize(one).length < 100);
    assertEquals(two, roundTrip(serialize(two)));
  }

  private static void checkShared(LongFunction<Layout> layouts) throws Exception {
    List<Layout> one = List.of(layouts.apply(0));
    List<Layout> hundred = new ArrayList<>();
    for (long i = 0; i < 100; i++) {
      hundred.add(layouts.apply(i));
    }
    byte[] bytes = serialize(hundred);
    int growth = bytes.length - serialize(one).length;
    assertTrue(growth < 99 * BYTES_PER_TENSOR, () -> growth + " bytes for 99 more tensors");
    List<Layout> back = roundTrip(bytes);
    for (int i = 0; i < 100; i++) {
      assertEquals(runs(hundred.get(i)), runs(back.get(i)));
    }
  }

  private static List<String> runs(Layout layout) {
    List<String> runs = new ArrayList<>();
    layout.runs(0, layout.elements(), (s, offset, n) -> runs.add(s + "@" + offset + "+" + n));
    return runs;
  }

  private static byte[] serialize(List<Layout> layouts) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ObjectOutputStream out = new ObjectOutputStream(bytes)) {
      out.writeObject(layouts.toArray(Layout[]::new));
    }
    return bytes.toByteArray();
  }

  private static List<Layout> roundTrip(byte[] bytes) throws Exception {
    try (ObjectInputStream in = new ObjectInputStream(new ByteArrayInputStream(bytes))) {
      return List.of((Layout[]) in.readObject());
    }
  }
}
