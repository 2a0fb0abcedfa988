package dev.reweave.plan;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.storage.PartRule;
import dev.reweave.tensor.DType;
import dev.reweave.tensor.Shape;
import dev.reweave.tensor.StorageRef;
import dev.reweave.tensor.StoredLayout;
import dev.reweave.tensor.TensorSpec;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.stream.IntStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;

/** No input file is read by all tasks at once, unless all is in it. */
class ChunkOrderTest {
  private static final int SHARD_ELEMENTS = 100_000;
  private static final Comparator<Chunk> BY_PLACE =
      Comparator.comparingInt(Chunk::file).thenComparingInt(Chunk::number);

  /** A thing with its source. */
  private record Item(int source, int number) {}

  @Property(tries = 300, seed = "20261124")
  void eachSourceHasItsShareInEveryWindow(
      @ForAll @Size(min = 1, max = 12) List<@IntRange(min = 1, max = 40) Integer> counts,
      @ForAll Random random) {
    List<Item> items = new ArrayList<>();
    for (int s = 0; s < counts.size(); s++) {
      for (int i = 0; i < counts.get(s); i++) {
        items.add(new Item(s, i));
      }
    }
    Collections.shuffle(items, random);

    List<Item> order = ChunkOrder.spread(items, Item::source);

    for (int s = 0; s < counts.size(); s++) {
      int source = s;
      assertEquals(
          items.stream().filter(i -> i.source() == source).toList(),
          order.stream().filter(i -> i.source() == source).toList());
      assertShare(order, source, counts.get(s));
    }
  }

  private static void assertShare(List<Item> order, int source, long count) {
    long all = order.size();
    for (int from = 0; from < all; from++) {
      long found = 0;
      for (int to = from; to < all; to++) {
        found += order.get(to).source() == source ? 1 : 0;
        long share = (to - from + 1) * count;
        assertTrue(found <= (share + all - 1) / all + 1, () -> source + " in " + order);
        assertTrue(found >= share / all - 1, () -> source + " in " + order);
      }
    }
  }

  /** With as much from each file, no more than two of as many tasks as there are files. */
  @Test
  void equalSourcesTakeTurns() {
    List<Integer> items = IntStream.range(0, 60).map(i -> i / 15).boxed().toList();

    List<Integer> order = ChunkOrder.spread(items, i -> i);

    for (int from = 0; from + 4 <= order.size(); from++) {
      List<Integer> window = order.subList(from, from + 4);
      for (int source = 0; source < 4; source++) {
        assertTrue(Collections.frequency(window, source) <= 2, window::toString);
      }
    }
  }

  /** A plan of shards of 400 KB that each come from one input file, a few of them from each. */
  private static ConversionPlan plan(int inputs, int shardsOfEach) {
    List<PlannedFile> files = new ArrayList<>();
    for (int shard = 0; shard < inputs * shardsOfEach; shard++) {
      StorageRef storage =
          new StorageRef(
              shard / shardsOfEach,
              "data/0",
              64,
              DType.F32,
              SHARD_ELEMENTS,
              StorageRef.Endian.LITTLE,
              StorageRef.NO_CRC);
      Shape shape = Shape.of(SHARD_ELEMENTS);
      files.add(
          new PlannedFile(
              "shard" + shard,
              PlannedFile.Role.WEIGHTS,
              List.of(
                  new Segment.Literal(new byte[8]),
                  new Segment.OfTensor(
                      new TensorSpec("t" + shard, DType.F32, shape),
                      StoredLayout.contiguous(storage, 0, shape)))));
    }
    return new ConversionPlan(
        List.of(),
        inputs,
        files,
        List.of(),
        Optional.empty(),
        List.of(),
        Optional.of(40_000L),
        Witness.NONE);
  }

  @Test
  void wavesHoldWholeFilesFromDifferentInputs() {
    ConversionPlan plan = plan(4, 3);
    List<Chunk> chunks = plan.chunks(PartRule.FREE);
    assertEquals(12 * 11, chunks.size());

    List<List<Chunk>> waves = ChunkOrder.waves(plan, chunks, 40);

    assertEquals(List.of(44, 44, 44), waves.stream().map(List::size).toList());
    for (int w = 0; w < 3; w++) {
      List<Chunk> wave = waves.get(w);
      int number = w;
      assertEquals(
          IntStream.range(0, 4).map(input -> 3 * input + number).boxed().toList(),
          wave.stream().map(Chunk::file).distinct().sorted().toList());
      for (int from = 0; from + 4 <= wave.size(); from++) {
        List<Integer> inputs =
            wave.subList(from, from + 4).stream().map(c -> c.file() / 3).distinct().toList();
        assertTrue(inputs.size() >= 2, "one input for all of " + wave.subList(from, from + 4));
      }
    }
    List<Chunk> all = waves.stream().flatMap(List::stream).sorted(BY_PLACE).toList();
    assertEquals(chunks, all);
  }

  @Test
  void aWaveIsNoBiggerThanItMustBe() {
    ConversionPlan plan = plan(2, 3);

    List<List<Chunk>> waves = ChunkOrder.waves(plan, plan.chunks(PartRule.FREE), 8);

    assertEquals(6, waves.size());
    assertEquals(
        List.of(0, 3, 1, 4, 2, 5), waves.stream().map(wave -> wave.get(0).file()).toList());
    // Each file has 11 chunks.
    assertEquals(6, ChunkOrder.waves(plan, plan.chunks(PartRule.FREE), 11).size());
    assertEquals(3, ChunkOrder.waves(plan, plan.chunks(PartRule.FREE), 12).size());
  }

  @Test
  void samplesLieWhereTheBytesDo() {
    ConversionPlan plan = plan(2, 1);
    PlannedFile file = plan.files().get(1);

    List<ChunkSources.Sample> samples = ChunkSources.of(file, new Chunk(1, 2, 40_000, 80_000));

    assertEquals(64, samples.size());
    long stretch = 40_000 / 64;
    for (int i = 0; i < samples.size(); i++) {
      ChunkSources.Sample sample = samples.get(i);
      assertEquals(1, sample.file());
      // The tensor begins at byte 8 of the shard and at byte 64 of its input.
      long begin = 40_000 + i * stretch - 8 + 64;
      assertTrue(
          sample.position() >= begin && sample.position() <= begin + stretch,
          "sample " + i + ": " + sample);
    }
    assertEquals(
        0, ChunkSources.main(plan.files().get(0), new Chunk(0, 1, 0, 40_000)).orElseThrow());
    assertTrue(ChunkSources.main(file, new Chunk(1, 1, 0, 8)).isEmpty(), "a header has a source");
  }
}
