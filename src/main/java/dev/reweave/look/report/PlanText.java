package dev.reweave.look.report;

import dev.reweave.plan.Chunk;
import dev.reweave.plan.ConversionPlan;
import dev.reweave.plan.PlannedFile;
import dev.reweave.storage.ByteSize;
import java.util.ArrayList;
import java.util.List;

/** A plan for people to read before it runs. */
public final class PlanText {
  private PlanText() {}

  /**
   * The plan's figures and its shards.
   *
   * @param chunks as the output's store takes them
   * @param taskBytes memory that one task takes, in bytes
   */
  public static List<String> lines(ConversionPlan plan, List<Chunk> chunks, long taskBytes) {
    long longest = chunks.stream().mapToLong(Chunk::length).max().orElse(0);
    Table facts =
        new Table(2)
            .row("tensors", String.valueOf(plan.tensors()))
            .row("shards", String.valueOf(plan.shards().size()))
            .row("to read", plan.bytesToRead() + " bytes (" + size(plan.bytesToRead()) + ")")
            .row("to write", plan.bytesToWrite() + " bytes (" + size(plan.bytesToWrite()) + ")")
            .row("chunks", chunks.size() + " of at most " + size(longest))
            .row("memory per task", size(taskBytes));
    if (!plan.copied().isEmpty()) {
      long bytes = plan.copied().stream().mapToLong(PlannedFile::length).sum();
      facts.row("copied along", plan.copied().size() + " files (" + size(bytes) + ")");
    }
    Table shards = new Table(1).row("shard", "tensors", "bytes");
    for (PlannedFile shard : plan.shards()) {
      shards.row(shard.path(), String.valueOf(shard.tensors().size()), size(shard.length()));
    }
    List<String> lines = new ArrayList<>(facts.lines());
    lines.add("");
    lines.addAll(shards.lines());
    return lines;
  }

  private static String size(long bytes) {
    return ByteSize.format(bytes);
  }
}
