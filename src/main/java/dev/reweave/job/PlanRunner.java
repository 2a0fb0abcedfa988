package dev.reweave.job;

import dev.reweave.plan.Chunk;
import dev.reweave.plan.ConversionPlan;
import dev.reweave.plan.PlannedShard;
import dev.reweave.report.RunFigures;
import dev.reweave.storage.OutputFolder;
import dev.reweave.storage.StagedFile;
import dev.reweave.storage.Stores;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.broadcast.Broadcast;

/** Writes all chunks of a plan into staged files, in Spark tasks, and checks what was read. */
final class PlanRunner {
  private record Assignment(Chunk chunk, StagedFile target) implements Serializable {}

  /**
   * A plan whose shards are all complete and staged.
   *
   * @param shards by name
   */
  record Staged(
      Map<String, StagedFile> files, Map<String, Journal.ShardState> shards, RunFigures figures) {}

  private final JavaSparkContext spark;
  private final SparkTasks tasks;
  private final Broadcast<Stores> stores;

  PlanRunner(JavaSparkContext spark, SparkTasks tasks, Broadcast<Stores> stores) {
    this.spark = spark;
    this.tasks = tasks;
    this.stores = stores;
  }

  /**
   * Runs a plan, or what is left of it.
   *
   * @param output where the files are staged
   * @param journal keeps a record of each finished shard
   * @param staged the files to write, by shard
   * @param finished shards that an earlier process completed
   * @throws dev.reweave.ReweaveException if something cannot be read or written, or is damaged
   */
  Staged run(
      ConversionPlan plan,
      OutputFolder output,
      Journal journal,
      Map<String, StagedFile> staged,
      Map<String, Journal.ShardState> finished) {
    Broadcast<Stores> shared = stores;
    Broadcast<ConversionPlan.Work> work = spark.broadcast(plan.work());
    StorageChecks checks = new StorageChecks();
    finished.values().forEach(shard -> checks.add(shard.shares()));
    Map<String, Journal.ShardState> shards = new HashMap<>(finished);
    long[] audited = {0};
    try (ShardAssembly assembly = new ShardAssembly(plan, output, staged, journal)) {
      tasks.run(
          "convert " + plan.tensors() + " tensors to " + plan.shards().size() + " shards",
          assignments(plan.chunks(output.partRule()), plan, staged, finished),
          a -> new ChunkTask(shared.value(), work.value(), a.chunk()).run(a.target()),
          assembly::add);
      for (Journal.ShardState shard : assembly.finish()) {
        checks.add(shard.shares());
        shards.put(shard.shard(), shard);
      }
      tasks.run(
          "check " + plan.files().size() + " input files",
          IntStream.range(0, plan.files().size()).boxed().toList(),
          file -> new StorageAudit(shared.value(), work.value(), file).run(),
          result -> {
            checks.add(result.shares());
            checks.leaveOut(result.unchecked());
            audited[0] += result.bytesRead();
          });
      checks.compare(plan);
      RunFigures figures =
          new RunFigures(
              assembly.bytesRead() + audited[0],
              bytesNeeded(plan, finished),
              assembly.requests(),
              finished.size(),
              checks.checked(),
              checks.unchecked(),
              plan.shards().stream().map(s -> shards.get(s.fileName()).crc32c()).toList());
      return new Staged(staged, shards, figures);
    } finally {
      work.destroy();
    }
  }

  private static long bytesNeeded(ConversionPlan plan, Map<String, Journal.ShardState> finished) {
    return plan.shards().stream()
        .filter(s -> !finished.containsKey(s.fileName()))
        .mapToLong(PlannedShard::bytesToRead)
        .sum();
  }

  private static List<Assignment> assignments(
      List<Chunk> chunks,
      ConversionPlan plan,
      Map<String, StagedFile> staged,
      Map<String, Journal.ShardState> finished) {
    List<Assignment> assignments = new ArrayList<>();
    for (Chunk chunk : chunks) {
      String shard = plan.shards().get(chunk.shard()).fileName();
      if (!finished.containsKey(shard)) {
        assignments.add(new Assignment(chunk, staged.get(shard)));
      }
    }
    return assignments;
  }
}
