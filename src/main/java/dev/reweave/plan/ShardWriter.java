package dev.reweave.plan;

import dev.reweave.tensor.Layout;
import dev.reweave.tensor.NamedTensor;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Plans the bytes of one shard in one format. */
interface ShardWriter {

  /** Lays a shard out. */
  PlannedFile plan(PackedShard shard);

  /** Whether a shard holds tied names beside the one that is kept. */
  boolean keepsTies();

  /**
   * The file that tells what lies where in the shards, where the format has one of its own, also
   * for a single shard.
   */
  default Optional<SmallFile> index(List<PlannedFile> shards) {
    return Optional.empty();
  }

  /** The writer of the design's format. */
  static ShardWriter of(ResultModel design, PlanOptions options) {
    Map<String, Layout> layouts = new LinkedHashMap<>();
    for (NamedTensor tensor : design.tensors()) {
      layouts.put(tensor.name(), tensor.layout());
    }
    return switch (design.names().format()) {
      case SAFETENSORS ->
          new SafetensorsShards(design.names(), layouts, design.aliases(), design.metadata());
      case BIN -> new TorchShards(design.names(), layouts, design.aliases());
      case UNIVERSAL -> throw new IllegalArgumentException("no shards in " + design.names());
      case DCP ->
          DistributedShards.of(design.names(), layouts, design.aliases(), options.chunkBytes());
    };
  }
}
