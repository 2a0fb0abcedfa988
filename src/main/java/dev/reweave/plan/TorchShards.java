package dev.reweave.plan;

import dev.reweave.tensor.Layout;
import java.util.Map;

/** Shards as {@code torch.save} writes them. */
record TorchShards(FileNames names, Map<String, Layout> layouts, Map<String, String> aliases)
    implements ShardWriter {
  @Override
  public PlannedFile plan(PackedShard shard) {
    throw new UnsupportedOperationException("not yet");
  }

  @Override
  public boolean keepsTies() {
    return true;
  }
}
