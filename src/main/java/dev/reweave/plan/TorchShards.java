package dev.reweave.plan;

import dev.reweave.format.pytorch.TorchFileLayout;
import dev.reweave.tensor.Layout;
import dev.reweave.tensor.TensorSpec;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/** Shards as {@code torch.save} writes them. */
record TorchShards(FileNames names, Map<String, Layout> layouts, Map<String, String> aliases)
    implements ShardWriter {

  @Override
  public PlannedFile plan(PackedShard shard) {
    List<TensorSpec> tensors = shard.tensors();
    TorchFileLayout file = TorchFileLayout.of(archive(shard), tensors, ties(tensors));
    return TorchFilePlan.of(names.path(shard.fileName()), file, spec -> layouts.get(spec.name()));
  }

  /** The folder of all entries: torch takes the file's name without its last suffix. */
  private static String archive(PackedShard shard) {
    return shard.fileName().substring(0, shard.fileName().lastIndexOf('.'));
  }

  private Map<String, String> ties(List<TensorSpec> tensors) {
    Set<String> present = new HashSet<>();
    tensors.forEach(t -> present.add(t.name()));
    Map<String, String> ties = new TreeMap<>(aliases);
    ties.values().retainAll(present);
    return ties;
  }

  @Override
  public boolean keepsTies() {
    return true;
  }
}
