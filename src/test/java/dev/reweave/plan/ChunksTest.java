package dev.reweave.plan;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.storage.PartRule;
import dev.reweave.tensor.CombinedLayout;
import dev.reweave.tensor.DType;
import dev.reweave.tensor.Layout;
import dev.reweave.tensor.Shape;
import dev.reweave.tensor.StoredLayout;
import dev.reweave.tensor.TensorSpec;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** How files are cut, and where the pieces come from. */
class ChunksTest {
  /** The end of a file, of so many bytes. */
  private record End(long length) implements Segment.Tail {
    @Override
    public byte[] bytes(List<Integer> crc32) {
      return new byte[(int) length];
    }
  }

  private static PlannedFile file(long tensorBytes, long tailBytes) {
    Segment tensor = PlanSamples.ofTensor("t", DType.U8, tensorBytes);
    return new PlannedFile(
        "f",
        PlannedFile.Role.WEIGHTS,
        tailBytes == 0 ? List.of(tensor) : List.of(tensor, new End(tailBytes)));
  }

  @Test
  void chunksAreAsLongAsTheyMayBeFileAfterFile() {
    ConversionPlan plan = PlanSamples.plan(64_000, file(150_000, 0), file(64_000, 0));

    assertEquals(
        List.of(
            new Chunk(0, 1, 0, 64_000),
            new Chunk(0, 2, 64_000, 128_000),
            new Chunk(0, 3, 128_000, 150_000),
            new Chunk(1, 1, 0, 64_000)),
        plan.chunks(PartRule.FREE));
  }

  /** Its checksums are known when all else is made: one task writes it. */
  @Test
  void theTailOfAFileIsInOneChunk() {
    ConversionPlan plan = PlanSamples.plan(64_000, file(127_000, 9_000));

    assertEquals(
        List.of(new Chunk(0, 1, 0, 64_000), new Chunk(0, 2, 64_000, 136_000)),
        plan.chunks(PartRule.FREE));
    assertEquals(
        List.of(
            new Chunk(0, 1, 0, 64_000),
            new Chunk(0, 2, 64_000, 128_000),
            new Chunk(0, 3, 128_000, 137_000)),
        PlanSamples.plan(64_000, file(128_000, 9_000)).chunks(PartRule.FREE));
  }

  @Test
  void storesSayHowLongPartsAre() {
    PartRule rule = new PartRule(100_000, 1 << 30, 100, PartRule.Buffering.NONE);

    assertEquals(
        List.of(new Chunk(0, 1, 0, 100_000), new Chunk(0, 2, 100_000, 150_000)),
        PlanSamples.plan(64_000, file(150_000, 0)).chunks(rule));
  }

  /** Where a task waits for the store at the end of a chunk, it shall not wait often. */
  @Test
  void whereNobodySaysHowLongTheStoreDoes() {
    ConversionPlan plan = PlanSamples.plan(Optional.empty(), file(1_000_000_000, 0));
    PartRule waits = new PartRule(5 << 20, 1 << 30, 10_000, PartRule.Buffering.PIECES);

    assertEquals(16, plan.chunks(PartRule.FREE).size());
    assertEquals(4, plan.chunks(waits).size());
    assertEquals(4, plan.chunks(waits, 1).size());
    assertEquals(16, PlanSamples.plan(64_000_000, file(1_000_000_000, 0)).chunks(waits, 1).size());
  }

  @Test
  void chunksAreEvenForSoManyTasks() {
    ConversionPlan plan = PlanSamples.plan(64_000_000, file(100_000_000, 0), file(50_000_000, 0));

    // Six rounds of three tasks: in seven, chunks would be shorter than 8 MB.
    List<Long> lengths = plan.chunks(PartRule.FREE, 3).stream().map(Chunk::length).toList();

    assertEquals(18, lengths.size());
    assertTrue(
        lengths.stream().allMatch(length -> length > 8_330_000 && length <= 8_333_336),
        lengths::toString);
  }

  @ParameterizedTest
  @CsvSource({"0, 0, 8", "1, -8, 8", "1, 8, 8", "1, 16, 8", "1, 4, 8"})
  void refusesWhatIsNoChunk(int number, long from, long to) {
    IllegalArgumentException refused =
        assertThrows(IllegalArgumentException.class, () -> new Chunk(7, number, from, to));

    assertEquals("chunk [" + from + ", " + to + ") of file 7", refused.getMessage());
  }

  private static Layout stored(int file, long elements) {
    return StoredLayout.contiguous(
        PlanSamples.storage(file, "s", DType.F32, elements), 0, Shape.of(elements));
  }

  private static Segment ofTensor(String name, Layout layout) {
    return new Segment.OfTensor(
        new TensorSpec(name, DType.F32, Shape.of(layout.elements())), layout);
  }

  /** Eight bytes of the plan's own, 100 elements of file 2, none, and 60 of file 1. */
  private static PlannedFile mixed() {
    return new PlannedFile(
        "f",
        PlannedFile.Role.WEIGHTS,
        List.of(
            new Segment.Literal(new byte[8]),
            ofTensor("a", stored(2, 100)),
            ofTensor("none", stored(0, 0)),
            ofTensor("b", stored(1, 60))));
  }

  @Test
  void aShortChunkHasASampleOfEachByte() {
    List<ChunkSources.Sample> samples = ChunkSources.of(mixed(), new Chunk(0, 1, 400, 416));

    // Bytes 400 to 407 are the last two elements of file 2.
    assertEquals(
        List.of(456L, 456L, 456L, 456L, 460L, 460L, 460L, 460L),
        samples.subList(0, 8).stream().map(ChunkSources.Sample::position).toList());
    assertEquals(
        List.of(64L, 64L, 64L, 64L, 68L, 68L, 68L, 68L),
        samples.subList(8, 16).stream().map(ChunkSources.Sample::position).toList());
    assertEquals(
        List.of(2, 2, 2, 2, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1),
        samples.stream().map(ChunkSources.Sample::file).toList());
  }

  /** 648 bytes for 64 samples: stretches of 10 bytes, and 8 bytes more over all of them. */
  @Test
  void samplesAreSpreadOverALongChunk() {
    List<ChunkSources.Sample> samples = ChunkSources.of(mixed(), new Chunk(0, 1, 0, 648));

    assertEquals(63, samples.size(), "the first is in the header");
    assertEquals(new ChunkSources.Sample(2, 64 + 4), samples.get(0));
    assertEquals(new ChunkSources.Sample(1, 64 + 60 * 4 - 8), samples.get(62));
    assertEquals(39, samples.stream().filter(s -> s.file() == 2).count());
  }

  @Test
  void theMainSourceIsThatOfMostBytes() {
    PlannedFile file = mixed();

    assertEquals(OptionalInt.of(2), ChunkSources.main(file, new Chunk(0, 1, 0, 648)));
    assertEquals(OptionalInt.of(1), ChunkSources.main(file, new Chunk(0, 1, 392, 648)));
    assertEquals(OptionalInt.empty(), ChunkSources.main(file, new Chunk(0, 1, 0, 8)));
    // As much of each: the first.
    assertEquals(OptionalInt.of(1), ChunkSources.main(file, new Chunk(0, 1, 400, 416)));
  }

  @Test
  void anElementOfSeveralCopiesHasASampleOfEach() {
    Layout copies =
        new CombinedLayout(
            CombinedLayout.Kind.REPLICATED, List.of(stored(3, 4), stored(0, 4), stored(5, 4)));
    PlannedFile file =
        new PlannedFile("f", PlannedFile.Role.WEIGHTS, List.of(ofTensor("c", copies)));

    List<ChunkSources.Sample> samples = ChunkSources.of(file, new Chunk(0, 1, 8, 9));

    assertEquals(
        List.of(
            new ChunkSources.Sample(3, 72),
            new ChunkSources.Sample(0, 72),
            new ChunkSources.Sample(5, 72)),
        samples);
  }
}
