package dev.reweave.plan;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Collections;
import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.LongRange;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;

/** Chunks end together, whatever the sizes of model, shards and cluster. */
class EvenChunksTest {
  private static final long MOST = 64_000_000;
  private static final long LEAST = 8_000_000;

  private static long chunks(List<Long> files, int slots) {
    long most = new EvenChunks(files, MOST).bytes(slots);
    return files.stream().mapToLong(file -> chunksOf(file, most)).sum();
  }

  private static long chunksOf(long file, long most) {
    long bytes = EvenChunks.bytes(file, most);
    return (file + bytes - 1) / bytes;
  }

  @Test
  void aBigModelIsCutIntoFullRoundsOfLongChunks() {
    List<Long> shards = List.of(5_000_000_000L, 5_000_000_000L, 4_480_000_000L);

    // 227 chunks would be as long as they may: almost four rounds of 64.
    assertEquals(8 * 64, chunks(shards, 64));
    assertEquals(8 * 4 * 8, chunks(Collections.nCopies(4, 4_000_000_000L), 32));
  }

  @Test
  void aSmallModelIsCutForAllSlotsButNotIntoDust() {
    assertEquals(5 * 4, chunks(List.of(160_000_000L), 4));
    assertEquals(1, chunks(List.of(6_000_000L), 4));
    assertEquals(20, chunks(List.of(160_000_000L), 1000));
  }

  @Test
  void shardsOfOddLengthsMakeFullRounds() {
    assertEquals(5 * 4, chunks(List.of(50_000_000L, 50_000_000L, 50_000_000L, 10_000_000L), 4));
  }

  @Test
  void chunksAreAsLongAsTheyMayBeWhereThatIsEven() {
    assertEquals(MOST, new EvenChunks(List.of(8 * 2 * MOST), MOST).bytes(2));
    assertEquals(MOST, new EvenChunks(List.of(800 * MOST), MOST).bytes(2));
  }

  @Test
  void chunksThatAreWantedShortStayShort() {
    assertEquals(64_000, new EvenChunks(List.of(160_000_000L), 64_000).bytes(4));
  }

  private static long chunksWithWaits(List<Long> files, int slots) {
    long most = new EvenChunks(files, MOST).bytes(slots, 16_000_000);
    return files.stream().mapToLong(file -> chunksOf(file, most)).sum();
  }

  @Test
  void whereChunksWaitThereAreFewerInFullRounds() {
    List<Long> shards = Collections.nCopies(5, 48_000_000L);

    // One after the other, the longest wait least often; of four tasks, one would be alone.
    assertEquals(5, chunksWithWaits(shards, 1));
    assertEquals(2 * 5, chunksWithWaits(shards, 4));
    assertEquals(5, chunksWithWaits(shards, 5));
    assertEquals(4 * 64, chunksWithWaits(Collections.nCopies(4, 4_000_000_000L), 64));
  }

  @Test
  void whereChunksWaitTheyAreNotMadeLongerThanTheyMayBe() {
    assertEquals(64_000, new EvenChunks(List.of(160_000_000L), 64_000).bytes(4, 16_000_000));
    assertEquals(MOST, new EvenChunks(List.of(800 * MOST), MOST).bytes(2, 16_000_000));
  }

  @Property
  void noChunkIsLongerThanItMayBeAndNoFileIsCutUnevenly(
      @ForAll @Size(min = 1, max = 20) List<@LongRange(min = 1, max = 20_000_000_000L) Long> files,
      @ForAll @IntRange(min = 1, max = 5000) int slots) {
    long most = new EvenChunks(files, MOST).bytes(slots);
    assertTrue(most <= MOST && most >= LEAST && most % Chunk.ALIGNMENT == 0, "most: " + most);
    for (long file : files) {
      long bytes = EvenChunks.bytes(file, most);
      long count = chunksOf(file, most);
      assertTrue(bytes <= most && bytes % Chunk.ALIGNMENT == 0, "bytes: " + bytes);
      assertEquals((file + most - 1) / most, count);
      long last = file - (count - 1) * bytes;
      assertTrue(last > 0 && bytes - last < Chunk.ALIGNMENT * count, "last: " + last);
    }
  }
}
