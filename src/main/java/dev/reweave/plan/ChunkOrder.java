package dev.reweave.plan;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.TreeMap;
import java.util.function.ToIntFunction;

/**
 * The order in which chunks are made, so that the tasks that run at once do not all read the same
 * input file or write the same output file. Pure: the same chunks give the same order.
 */
public final class ChunkOrder {
  private static final int NO_SOURCE = -1;

  private ChunkOrder() {}

  /**
   * Chunks in waves of whole files. The files of a wave come from different input files, as far as
   * there are such; its chunks are {@link #spread} by the input file that most of each comes from.
   * A wave is no bigger than it must be, since a run that is killed keeps its finished files.
   *
   * @param chunks in the order of {@link ConversionPlan#chunks}, all of a file or some
   * @param least number of chunks in a wave but the last, if there are as many
   */
  public static List<List<Chunk>> waves(ConversionPlan plan, List<Chunk> chunks, int least) {
    Map<Integer, List<Chunk>> byFile = new LinkedHashMap<>();
    Map<Chunk, Integer> mains = new HashMap<>();
    for (Chunk chunk : chunks) {
      byFile.computeIfAbsent(chunk.file(), f -> new ArrayList<>()).add(chunk);
      PlannedFile file = plan.files().get(chunk.file());
      mains.put(chunk, ChunkSources.main(file, chunk).orElse(NO_SOURCE));
    }
    List<List<Chunk>> waves = new ArrayList<>();
    List<Chunk> wave = new ArrayList<>();
    for (List<Chunk> file : spread(List.copyOf(byFile.values()), f -> mostFrequent(f, mains))) {
      wave.addAll(file);
      if (wave.size() >= least) {
        waves.add(spread(wave, mains::get));
        wave = new ArrayList<>();
      }
    }
    if (!wave.isEmpty()) {
      waves.add(spread(wave, mains::get));
    }
    return waves;
  }

  private static int mostFrequent(List<Chunk> chunks, Map<Chunk, Integer> mains) {
    Map<Integer, Integer> counts = new TreeMap<>();
    chunks.forEach(chunk -> counts.merge(mains.get(chunk), 1, Integer::sum));
    return counts.entrySet().stream()
        .max(Map.Entry.<Integer, Integer>comparingByValue().thenComparing(e -> -e.getKey()))
        .orElseThrow()
        .getKey();
  }

  /** The next item of one source: not before {@code release}, before {@code deadline}. */
  private record Turn(int source, int number, long release, long deadline) {}

  /**
   * Items in an order in which each source has its fair share at all times: of {@code n} items, of
   * which {@code c} are of one source, any {@code w} that follow each other hold at most {@code
   * ceil(w * c / n) + 1} of it, and at least {@code floor(w * c / n) - 1}. The items of one source
   * keep their order.
   *
   * <p>The item {@code j} of a source (from 0) has its place in {@code [floor(j * n / c), ceil((j +
   * 1) * n / c))}; the one whose place ends first comes first. That such an order always exists is
   * what Baruah, Cohen, Plaxton and Varvel show in "Proportionate progress" (1996).
   */
  public static <T> List<T> spread(List<T> items, ToIntFunction<? super T> source) {
    Map<Integer, List<T>> bySource = new TreeMap<>();
    items.forEach(
        i -> bySource.computeIfAbsent(source.applyAsInt(i), s -> new ArrayList<>()).add(i));
    PriorityQueue<Turn> later =
        new PriorityQueue<>(Comparator.comparingLong(Turn::release).thenComparing(Turn::source));
    PriorityQueue<Turn> ready =
        new PriorityQueue<>(Comparator.comparingLong(Turn::deadline).thenComparing(Turn::source));
    bySource.forEach((s, own) -> later.add(turn(s, 0, items.size(), own.size())));
    List<T> order = new ArrayList<>(items.size());
    while (order.size() < items.size()) {
      while (!later.isEmpty() && later.peek().release() <= order.size()) {
        ready.add(later.remove());
      }
      Turn next = ready.remove();
      List<T> own = bySource.get(next.source());
      order.add(own.get(next.number()));
      if (next.number() + 1 < own.size()) {
        later.add(turn(next.source(), next.number() + 1, items.size(), own.size()));
      }
    }
    return order;
  }

  private static Turn turn(int source, int number, long all, long own) {
    long release = number * all / own;
    long deadline = ((number + 1) * all + own - 1) / own;
    return new Turn(source, number, release, deadline);
  }
}
