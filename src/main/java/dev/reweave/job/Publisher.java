package dev.reweave.job;

import dev.reweave.plan.ConversionPlan;
import dev.reweave.plan.PlannedShard;
import dev.reweave.report.Manifest;
import dev.reweave.safetensors.SafetensorsIndex;
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

  Publisher(OutputFolder output) {
    this.output = output;
  }

  void publish(ConversionPlan plan, Manifest manifest) {
    plan.index().map(SafetensorsIndex::bytes).ifPresent(b -> output.stage(plan.indexName(), b));
    output.stage(Manifest.FILE_NAME, manifest.toJson());
    output.remove(Manifest.FILE_NAME);
    output.names().stream().filter(n -> n.endsWith(INDEX)).forEach(output::remove);
    output.names().stream().filter(n -> n.endsWith(SHARD)).forEach(output::remove);
    for (PlannedShard shard : plan.shards()) {
      output.publish(shard.fileName());
    }
    if (plan.index().isPresent()) {
      output.publish(plan.indexName());
    }
    output.publish(Manifest.FILE_NAME);
  }
}
