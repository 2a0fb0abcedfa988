package dev.reweave.plan;

import dev.reweave.safetensors.SafetensorsHeader;
import dev.reweave.tensor.Layout;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Shards as {@code safetensors.torch.save_file} writes them. */
record SafetensorsShards(FileNames names, Map<String, Layout> layouts, Map<String, String> aliases)
    implements ShardWriter {
  /** Every loader of the Hub's libraries asks for this entry of a shard's metadata. */
  private static final Map<String, String> FORMAT = Map.of("format", "pt");

  /**
   * As {@code huggingface_hub} does, every shard says of every dropped name which name was kept.
   */
  @Override
  public PlannedFile plan(PackedShard shard) {
    Map<String, String> metadata = new TreeMap<>(aliases);
    metadata.putAll(FORMAT);
    SafetensorsHeader header = SafetensorsHeader.layOut(shard.tensors(), metadata);
    List<Segment> segments = new ArrayList<>();
    segments.add(new Segment.Literal(header.bytes()));
    for (SafetensorsHeader.Entry entry : header.entries()) {
      segments.add(new Segment.Woven(entry.spec(), layouts.get(entry.spec().name())));
    }
    return new PlannedFile(names.path(shard.fileName()), PlannedFile.Role.WEIGHTS, segments);
  }

  @Override
  public boolean keepsTies() {
    return false;
  }
}
