package dev.reweave.convert;

import dev.reweave.plan.Chunk;
import dev.reweave.plan.ChunkOrder;
import dev.reweave.plan.ConversionPlan;
import dev.reweave.plan.PlannedFile;
import dev.reweave.spark.SparkTasks;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/** The chunks of a plan as jobs, in their order, and what the user reads of them. */
final class ChunkWaves {
  /** Chunks of one wave for each task that can run at once: enough to keep all of them busy. */
  private static final int CHUNKS_PER_CORE = 4;

  /** Jobs at most, about: Spark's own pages show a thousand. */
  private static final int MOST_WAVES = 200;

  private static final int MOST_NUMBERS = 6;

  private final ConversionPlan plan;
  private final List<Chunk> bodies = new ArrayList<>();
  private final List<Chunk> tails = new ArrayList<>();

  /**
   * The steps of a plan, without the files that are done.
   *
   * @param chunks of all files
   */
  ChunkWaves(ConversionPlan plan, List<Chunk> chunks, Predicate<PlannedFile> done) {
    this.plan = plan;
    for (Chunk chunk : chunks) {
      PlannedFile file = plan.files().get(chunk.file());
      if (!done.test(file)) {
        // A tail holds checksums of all that is before it.
        (chunk.to() > file.tailStart() && chunk.from() > 0 ? tails : bodies).add(chunk);
      }
    }
  }

  /**
   * What can be done at once, in waves.
   *
   * @param cores tasks that run at once
   */
  List<SparkTasks.Batch<Chunk>> bodies(int cores) {
    int least = Math.max(CHUNKS_PER_CORE * cores, bodies.size() / MOST_WAVES);
    return ChunkOrder.waves(plan, bodies, least).stream()
        .map(wave -> new SparkTasks.Batch<>(what(wave), wave))
        .toList();
  }

  /** What can be done when all the rest is. */
  List<Chunk> tails() {
    return tails;
  }

  /** Such as {@code convert: shards 3 and 7 of 12}, for people. */
  private String what(List<Chunk> wave) {
    int copies = plan.copied().size();
    Set<Integer> files =
        wave.stream().map(Chunk::file).collect(Collectors.toCollection(TreeSet::new));
    List<Integer> shards =
        files.stream().filter(f -> f >= copies).map(f -> f - copies + 1).toList();
    int copied = files.size() - shards.size();
    String copy = copied == 0 ? "" : "copy " + copied + (copied == 1 ? " file" : " files");
    if (shards.isEmpty()) {
      return "convert: " + copy;
    }
    return "convert: " + shards(shards, plan.shards().size()) + (copy.isEmpty() ? "" : ", " + copy);
  }

  private static String shards(List<Integer> numbers, int all) {
    if (numbers.size() == 1) {
      return "shard " + numbers.get(0) + " of " + all;
    }
    if (numbers.size() == all) {
      return "all " + all + " shards";
    }
    if (numbers.size() > MOST_NUMBERS) {
      return numbers.size() + " of " + all + " shards";
    }
    String most =
        numbers.subList(0, numbers.size() - 1).stream()
            .map(String::valueOf)
            .collect(Collectors.joining(", "));
    return "shards " + most + " and " + numbers.get(numbers.size() - 1) + " of " + all;
  }
}
