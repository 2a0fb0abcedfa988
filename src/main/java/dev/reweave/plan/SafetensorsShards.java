package dev.reweave.plan;

import dev.reweave.format.safetensors.SafetensorsHeader;
import dev.reweave.tensor.Layout;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Shards as {@code safetensors.torch.save_file} writes them. */
record SafetensorsShards(
    FileNames names,
    Map<String, Layout> layouts,
    Map<String, String> aliases,
    Map<String, String> metadata)
    implements ShardWriter {
  /** Every loader of the Hub's libraries asks for this entry of a shard's metadata. */
  private static final String FORMAT = "format";

  /** That of torch: what its weights look like. */
  private static final String PT = "pt";

  /**
   * As {@code huggingface_hub} does, every shard says of every dropped name which name was kept; so
   * it does of the metadata of the model.
   */
  @Override
  public PlannedFile plan(PackedShard shard) {
    Map<String, String> beside = new TreeMap<>(metadata);
    beside.putAll(aliases);
    beside.put(FORMAT, metadata.getOrDefault(FORMAT, PT));
    SafetensorsHeader header = SafetensorsHeader.layOut(shard.tensors(), beside);
    List<Segment> segments = new ArrayList<>();
    segments.add(new Segment.Literal(header.bytes()));
    for (SafetensorsHeader.Entry entry : header.entries()) {
      segments.add(new Segment.OfTensor(entry.spec(), layouts.get(entry.spec().name())));
    }
    return new PlannedFile(names.path(shard.fileName()), PlannedFile.Role.WEIGHTS, segments);
  }

  @Override
  public boolean keepsTies() {
    return false;
  }
}
