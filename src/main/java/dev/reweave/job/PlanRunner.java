package dev.reweave.job;

import dev.reweave.plan.Chunk;
import dev.reweave.plan.ConversionPlan;
import dev.reweave.plan.PlannedShard;
import dev.reweave.report.RunFigures;
import dev.reweave.storage.Checksum;
import dev.reweave.storage.OutputFolder;
import dev.reweave.storage.StagedFile;
import dev.reweave.storage.Stores;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.broadcast.Broadcast;

/** Writes all chunks of a plan into staged files, in Spark tasks, and checks what was read. */
final class PlanRunner {
  private record Assignment(Chunk chunk, StagedFile target) implements Serializable {}

  private final JavaSparkContext spark;
  private final SparkTasks tasks;
  private final Broadcast<Stores> stores;

  PlanRunner(JavaSparkContext spark, SparkTasks tasks, Broadcast<Stores> stores) {
    this.spark = spark;
    this.tasks = tasks;
    this.stores = stores;
  }

  /**
   * Runs a plan. All shards are complete and staged when it returns.
   *
   * @throws dev.reweave.ReweaveException if something cannot be read or written, or is damaged
   */
  RunFigures run(ConversionPlan plan, OutputFolder output) {
    Broadcast<Stores> stores = this.stores;
    Broadcast<ConversionPlan.Work> work = spark.broadcast(plan.work());
    int[] crcs = new int[plan.shards().size()];
    StorageChecks checks = new StorageChecks();
    Sums sums = new Sums();
    try {
      tasks.run(
          "convert " + plan.tensors() + " tensors to " + plan.shards().size() + " shards",
          assignments(plan, output),
          a -> new ChunkTask(stores.value(), work.value(), a.chunk()).run(a.target()),
          result -> {
            Chunk chunk = result.chunk();
            long behind = plan.shards().get(chunk.shard()).length() - chunk.to();
            crcs[chunk.shard()] ^= Checksum.CRC_32C.share(result.crc32c(), behind);
            checks.add(result.shares());
            sums.bytesRead += result.bytesRead();
            sums.requests += result.requests();
          });
      tasks.run(
          "check " + plan.files().size() + " input files",
          IntStream.range(0, plan.files().size()).boxed().toList(),
          file -> new StorageAudit(stores.value(), work.value(), file).run(),
          result -> {
            checks.add(result.shares());
            checks.leaveOut(result.unchecked());
            sums.bytesRead += result.bytesRead();
          });
    } finally {
      work.destroy();
    }
    checks.compare(plan);
    return new RunFigures(
        sums.bytesRead,
        sums.requests,
        checks.checked(),
        checks.unchecked(),
        IntStream.of(crcs).boxed().toList());
  }

  private static final class Sums {
    long bytesRead;
    long requests;
  }

  /** Chunks where the store takes them in any order; else a whole shard per task. */
  private static List<Assignment> assignments(ConversionPlan plan, OutputFolder output) {
    List<StagedFile> staged = new ArrayList<>();
    for (PlannedShard shard : plan.shards()) {
      staged.add(output.stage(shard.fileName(), shard.length()));
    }
    List<Assignment> assignments = new ArrayList<>();
    for (Chunk chunk : plan.chunks()) {
      StagedFile target = staged.get(chunk.shard());
      if (target.takesChunks()) {
        assignments.add(new Assignment(chunk, target));
      } else if (chunk.from() == 0) {
        long length = plan.shards().get(chunk.shard()).length();
        assignments.add(new Assignment(new Chunk(chunk.shard(), 0, length), target));
      }
    }
    return assignments;
  }
}
