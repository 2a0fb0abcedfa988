package dev.reweave.target.base;

import dev.reweave.common.Location;
import dev.reweave.format.safetensors.SafetensorsIndex;
import dev.reweave.format.safetensors.TiedNames;
import dev.reweave.target.base.WeightFile.Role;
import dev.reweave.tensor.TensorSpec;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** Reads the headers of one component, and its index if it has one. */
final class ComponentReader {
  private static final int MAX_INDEX_BYTES = 100_000_000;

  private final BaseFolder base;
  private final String folder;
  private final HeaderFiles headers;
  private final Map<String, TensorSpec> tensors = new TreeMap<>();
  private final Map<String, String> shards = new TreeMap<>();

  ComponentReader(BaseFolder base, String folder) {
    this.base = base;
    this.folder = folder;
    this.headers = new HeaderFiles(base);
  }

  /** The variant that is asked for, or else the weights without one, or else the only one. */
  Component read(Optional<String> variant) {
    return read(WeightSet.choose(base.names(folder), variant, address().uri()));
  }

  /** Any variant, as all have tensors of the same names. */
  Component readAny() {
    return read(WeightSet.any(base.names(folder), address().uri()));
  }

  private Component read(WeightSet set) {
    Map<String, String> metadata =
        set.index().isPresent() ? readShards(set.index().get()) : readSingle(set);
    return new Component(
        folder,
        address(),
        set.names(),
        tensors,
        shards,
        TiedNames.among(metadata, tensors.keySet()),
        set.index(),
        List.of());
  }

  private Map<String, String> readSingle(WeightSet set) {
    String file = set.file(Role.SINGLE).orElseThrow();
    headers.tensors(path(file)).forEach(spec -> add(spec, file));
    return headers.metadata(path(file));
  }

  private Map<String, String> readShards(String indexName) {
    String place = base.address() + "/" + path(indexName);
    byte[] bytes = base.content(path(indexName), MAX_INDEX_BYTES);
    SafetensorsIndex index = SafetensorsIndex.parse(bytes, place);
    Map<String, String> weightMap = index.weightMap();
    List<String> files = weightMap.values().stream().distinct().sorted().toList();
    for (String shard : files) {
      if (!base.files().containsKey(path(shard))) {
        throw BaseFailures.noShard(shard, place);
      }
    }
    for (String shard : files) {
      for (TensorSpec spec : headers.tensors(path(shard))) {
        String expected = weightMap.get(spec.name());
        if (expected == null) {
          throw BaseFailures.notInIndex(shard, spec.name(), place);
        }
        if (!expected.equals(shard)) {
          throw BaseFailures.inOtherShard(shard, expected, spec.name(), place);
        }
        add(spec, shard);
      }
    }
    for (Map.Entry<String, String> entry : weightMap.entrySet()) {
      if (!tensors.containsKey(entry.getKey())) {
        throw BaseFailures.notInShard(entry.getValue(), entry.getKey(), place);
      }
    }
    return index.droppedNames();
  }

  private void add(TensorSpec spec, String file) {
    tensors.put(spec.name(), spec);
    shards.put(spec.name(), file);
  }

  private Location address() {
    return folder.isEmpty() ? base.address() : base.address().child(folder);
  }

  private String path(String file) {
    return BaseFolder.prefix(folder) + file;
  }
}
