package dev.reweave.plan;

import dev.reweave.tensor.Layout;
import dev.reweave.tensor.NamedTensor;
import java.util.HashMap;
import java.util.Map;

/** Plans the bytes of one shard in one format. */
interface ShardWriter {

  /** Lays a shard out. */
  PlannedFile plan(PackedShard shard);

  /** Whether a shard holds tied names beside the one that is kept. */
  boolean keepsTies();

  /** The writer of the design's format. */
  static ShardWriter of(ResultModel design) {
    Map<String, Layout> layouts = new HashMap<>();
    for (NamedTensor tensor : design.tensors()) {
      layouts.put(tensor.name(), tensor.layout());
    }
    return switch (design.names().format()) {
      case SAFETENSORS ->
          new SafetensorsShards(design.names(), layouts, design.aliases(), design.metadata());
      case BIN -> new TorchShards(design.names(), layouts, design.aliases());
      case UNIVERSAL -> throw new IllegalArgumentException("no shards in " + design.names());
    };
  }
}
