package dev.reweave.plan;

import dev.reweave.ReweaveException;
import dev.reweave.checkpoint.Checkpoint;
import dev.reweave.safetensors.SafetensorsHeader;
import dev.reweave.safetensors.SafetensorsIndex;
import dev.reweave.tensor.DType;
import dev.reweave.tensor.Layout;
import dev.reweave.tensor.NamedTensor;
import dev.reweave.tensor.TensorSpec;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** Turns a checkpoint's structure into a plan: what the Hub's tools would write, and from where. */
public final class Planner {
  /** Every loader of the Hub's libraries asks for this entry of a shard's metadata. */
  private static final Map<String, String> FORMAT = Map.of("format", "pt");

  private final PlanOptions options;

  /** A planner of results that look as {@code options} say. */
  public Planner(PlanOptions options) {
    this.options = options;
  }

  /**
   * Plans a conversion.
   *
   * @throws ReweaveException if there is nothing to convert
   */
  public ConversionPlan plan(Checkpoint checkpoint) {
    if (checkpoint.tensors().isEmpty()) {
      throw new ReweaveException(
          "there are no tensors to convert",
          "the checkpoint",
          "look at it with 'reweave inspect', or leave --exclude-frozen out");
    }
    Map<String, Layout> layouts = new HashMap<>();
    for (NamedTensor tensor : checkpoint.tensors()) {
      layouts.put(tensor.name(), tensor.layout());
    }
    List<TensorSpec> specs = checkpoint.tensors().stream().map(t -> result(t.spec())).toList();
    List<PlannedShard> shards =
        ShardPacker.pack(specs, options.maxShardBytes(), options.weightsName()).stream()
            .map(packed -> shard(packed, checkpoint.aliases(), layouts))
            .toList();
    return new ConversionPlan(
        checkpoint.files(),
        shards,
        options.weightsName() + ".safetensors.index.json",
        shards.size() == 1 ? Optional.empty() : Optional.of(index(shards, checkpoint.aliases())),
        options.chunkBytes());
  }

  private TensorSpec result(TensorSpec stored) {
    DType dtype =
        stored.dtype().isCastable() ? options.dtype().orElse(stored.dtype()) : stored.dtype();
    return new TensorSpec(stored.name(), dtype, stored.shape());
  }

  /**
   * As {@code huggingface_hub} does, every shard says of every dropped name which name was kept.
   */
  private static PlannedShard shard(
      PackedShard packed, Map<String, String> aliases, Map<String, Layout> layouts) {
    Map<String, String> metadata = new TreeMap<>(aliases);
    metadata.putAll(FORMAT);
    SafetensorsHeader header = SafetensorsHeader.layOut(packed.tensors(), metadata);
    List<Layout> sources =
        header.entries().stream().map(entry -> layouts.get(entry.spec().name())).toList();
    return new PlannedShard(packed.fileName(), header, sources);
  }

  private static SafetensorsIndex index(List<PlannedShard> shards, Map<String, String> aliases) {
    Map<String, String> weightMap = new HashMap<>();
    long total = 0;
    for (PlannedShard shard : shards) {
      for (SafetensorsHeader.Entry entry : shard.header().entries()) {
        weightMap.put(entry.spec().name(), shard.fileName());
        total += entry.spec().bytes();
      }
    }
    return new SafetensorsIndex(aliases, total, weightMap);
  }
}
