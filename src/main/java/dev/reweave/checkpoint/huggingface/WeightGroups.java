package dev.reweave.checkpoint.huggingface;

import dev.reweave.common.ReweaveException;
import dev.reweave.format.safetensors.SafetensorsIndex;
import dev.reweave.storage.InputFile;
import dev.reweave.storage.Stores;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Finds out which files of weights in one folder belong together. What an index names belongs to
 * it, whatever it is called; what none names is told apart by names.
 */
final class WeightGroups {
  static final int MOST_INDEX_BYTES = 256 << 20;

  private static final Pattern INDEX =
      Pattern.compile(
          "(?<stem>.+?)(?<suffix>\\.safetensors|\\.bin)\\.index(\\.(?<variant>[^.]+))?\\.json");

  private final Stores stores;
  private final Map<String, InputFile> files = new TreeMap<>();
  private final Set<String> named = new HashSet<>();

  WeightGroups(Stores stores, List<InputFile> files) {
    this.stores = stores;
    files.forEach(file -> this.files.put(file.name(), file));
  }

  /** Whether a file is an index of shards. */
  static boolean isIndex(String name) {
    return INDEX.matcher(name).matches();
  }

  List<WeightFiles> all() {
    List<WeightFiles> groups = new ArrayList<>();
    for (InputFile file : files.values()) {
      Matcher name = INDEX.matcher(file.name());
      if (name.matches()) {
        groups.add(indexed(file, name));
      }
    }
    Map<String, List<InputFile>> others = new TreeMap<>();
    for (InputFile file : files.values()) {
      if (WeightFiles.isWeights(file.name()) && !named.contains(file.name())) {
        others.computeIfAbsent(key(file.name()), k -> new ArrayList<>()).add(file);
      }
    }
    others.values().forEach(group -> groups.add(withoutIndex(group)));
    return groups;
  }

  private WeightFiles indexed(InputFile index, Matcher name) {
    String variant = Optional.ofNullable(name.group("variant")).map(v -> "." + v).orElse("");
    String stem = name.group("stem") + variant;
    String suffix = name.group("suffix");
    List<InputFile> shards = new ArrayList<>();
    for (String shard : namesIn(index).orElseGet(() -> likely(stem, suffix))) {
      Optional.ofNullable(files.get(shard)).ifPresent(shards::add);
    }
    shards.forEach(shard -> named.add(shard.name()));
    return new WeightFiles(stem, suffix, shards, List.of(index));
  }

  /** The files that an index names, by name; empty if it cannot be read: that is told later. */
  private Optional<Set<String>> namesIn(InputFile index) {
    try {
      byte[] json = stores.readAll(index, MOST_INDEX_BYTES);
      return Optional.of(
          new TreeSet<>(SafetensorsIndex.parse(json, index.uri()).weightMap().values()));
    } catch (ReweaveException e) {
      e.throwIfOfStore();
      return Optional.empty();
    }
  }

  private Set<String> likely(String stem, String suffix) {
    Set<String> likely = new TreeSet<>();
    for (String file : files.keySet()) {
      if (ShardName.of(file)
          .filter(s -> s.stem().equals(stem) && s.suffix().equals(suffix))
          .isPresent()) {
        likely.add(file);
      }
    }
    return likely;
  }

  /** Files of one key are of one model. */
  private static String key(String name) {
    if (SliceName.of(name).isPresent()) {
      return "shard-";
    }
    return ShardName.of(name).map(ShardName::common).orElse(name);
  }

  private static WeightFiles withoutIndex(List<InputFile> group) {
    WeightFiles first = WeightFiles.of(group.get(0));
    String stem = ShardName.of(group.get(0).name()).map(ShardName::stem).orElse(first.stem());
    return new WeightFiles(
        SliceName.of(group.get(0).name()).isPresent() ? "model" : stem,
        first.suffix(),
        group,
        List.of());
  }
}
