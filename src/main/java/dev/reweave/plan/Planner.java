package dev.reweave.plan;

import dev.reweave.common.ReweaveException;
import dev.reweave.format.safetensors.SafetensorsIndex;
import dev.reweave.tensor.NamedTensor;
import dev.reweave.tensor.TensorSpec;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** Turns the structure of a result into a plan: what the Hub's tools would write, from where. */
public final class Planner {
  /** Most bytes that metadata take in all headers of a result together; one header's most. */
  private static final long MOST_METADATA_BYTES = 100_000_000;

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
  public ConversionPlan plan(ResultModel model) {
    if (model.tensors().isEmpty()) {
      throw PlanFailures.noTensors();
    }
    List<TensorSpec> specs = new ArrayList<>();
    for (NamedTensor tensor : model.tensors()) {
      Optional<ResultModel.Place> place =
          Optional.ofNullable(model.like().tensors().get(tensor.name()));
      specs.add(
          new TensorSpec(
              tensor.name(),
              options.dtype().of(tensor.keptType(), place.map(ResultModel.Place::dtype)),
              tensor.spec().shape()));
    }
    if (model.names().format() == Format.DCP) {
      options.requireForDistributed();
    }
    List<PackedShard> packed =
        options.sharding() == Sharding.LIKE_BASE
            ? likeBase(specs, model.like())
            : ShardPacker.pack(specs, options.maxShardBytes(), model.names());
    requireRoom(model.metadata(), packed.size());
    ShardWriter writer = ShardWriter.of(model, options);
    List<PlannedFile> files = new ArrayList<>(model.beside().copied());
    List<PlannedFile> shards = packed.stream().map(writer::plan).toList();
    files.addAll(shards);
    return new ConversionPlan(
        model.sources(),
        model.checkpointFiles(),
        files,
        model.beside().configs(),
        writer.index(shards).or(() -> index(packed, writer, model)),
        model.beside().last(),
        options.chunkBytes(),
        Witness.NONE);
  }

  /** The plan holds all headers: what stands in each of them must not be large. */
  private void requireRoom(Map<String, String> metadata, int shards) {
    long bytes = 0;
    for (Map.Entry<String, String> entry : metadata.entrySet()) {
      bytes += entry.getKey().length() + entry.getValue().length();
    }
    if (shards > 1 && bytes > MOST_METADATA_BYTES / shards) {
      throw PlanFailures.tooMuchMetadata(bytes, shards, MOST_METADATA_BYTES, options.sharding());
    }
  }

  private static List<PackedShard> likeBase(List<TensorSpec> specs, ResultModel.Likeness like) {
    Map<String, List<TensorSpec>> shards = new TreeMap<>();
    for (TensorSpec spec : specs) {
      ResultModel.Place place = like.tensors().get(spec.name());
      if (place == null) {
        throw PlanFailures.notInBase(spec.name());
      }
      shards.computeIfAbsent(place.shard(), s -> new ArrayList<>()).add(spec);
    }
    return shards.entrySet().stream()
        .map(shard -> new PackedShard(shard.getKey(), shard.getValue()))
        .toList();
  }

  private Optional<SmallFile> index(
      List<PackedShard> shards, ShardWriter writer, ResultModel model) {
    boolean likeBase = options.sharding() == Sharding.LIKE_BASE;
    String name = likeBase ? model.like().index() : model.names().index();
    if (likeBase ? name.isEmpty() : shards.size() == 1) {
      return Optional.empty();
    }
    Map<String, String> shardOf = new HashMap<>();
    long total = 0;
    for (PackedShard shard : shards) {
      for (TensorSpec spec : shard.tensors()) {
        shardOf.put(spec.name(), shard.fileName());
        total += spec.bytes();
      }
    }
    Map<String, String> dropped = new LinkedHashMap<>();
    model
        .aliases()
        .forEach(
            (alias, kept) -> {
              if (writer.keepsTies()) {
                shardOf.put(alias, shardOf.get(kept));
              } else {
                dropped.put(alias, kept);
              }
            });
    long bytes = total;
    return Optional.of(
        SmallFile.index(
            model.names().path(name),
            naming -> {
              Map<String, String> weightMap = new HashMap<>(shardOf);
              weightMap.replaceAll((tensor, shard) -> naming.apply(shard));
              return new SafetensorsIndex(dropped, bytes, weightMap).bytes();
            }));
  }
}
