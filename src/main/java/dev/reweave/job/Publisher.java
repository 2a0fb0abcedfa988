package dev.reweave.job;

import dev.reweave.plan.ConversionPlan;
import dev.reweave.plan.PlannedShard;
import dev.reweave.report.Manifest;
import dev.reweave.storage.OutputFolder;

/**
 * Makes a staged result visible: shards first, each whole, then the index, the manifest last. What
 * an earlier conversion left goes away in the opposite order, so that no index ever names a shard
 * that is not there.
 */
final class Publisher {
  private static final String SHARD = ".safetensors";
  private static final String INDEX = ".safetensors.index.json";

  private final OutputFolder output;
  private final Journal journal;

  Publisher(OutputFolder output, Journal journal) {
    this.output = output;
    this.journal = journal;
  }

  void publish(ConversionPlan plan, PlanRunner.Staged staged, Manifest manifest) {
    if (!journal.isPublishing()) {
      output.remove(Manifest.FILE_NAME);
      removeAll(INDEX);
      removeAll(SHARD);
      // From here on, what is visible is of this plan: a later process must not remove it again.
      journal.publishing();
    }
    for (PlannedShard shard : plan.shards()) {
      String name = shard.fileName();
      output.publish(staged.files().get(name), staged.shards().get(name).receipts());
    }
    plan.index().ifPresent(index -> output.publish(plan.indexName(), index.bytes()));
    output.publish(Manifest.FILE_NAME, manifest.toJson());
  }

  private void removeAll(String suffix) {
    output.names().stream().filter(n -> n.endsWith(suffix)).forEach(output::remove);
  }
}
