package dev.reweave.soak;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.reweave.manifest.Manifest;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * A whole model, to be compared with what is found.
 *
 * @param name of what it is to the round, such as {@code old}
 * @param files by path, with the manifest
 */
record Model(String name, Map<String, byte[]> files) {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String INDEX = ".index.json";

  Model {
    files = new TreeMap<>(files);
  }

  /** The same under another name. */
  Model as(String other) {
    return new Model(other, files);
  }

  Manifest manifest() {
    return Manifest.parse(files.get(Manifest.FILE_NAME), name);
  }

  /** Whether another one has all the same files, but for the manifest. */
  boolean hasBitsOf(Model other) {
    return weights().equals(other.weights());
  }

  private Map<String, Integer> weights() {
    Map<String, Integer> hashes = new TreeMap<>();
    files.forEach((path, content) -> hashes.put(path, Arrays.hashCode(content)));
    hashes.remove(Manifest.FILE_NAME);
    return hashes;
  }

  /**
   * A path or text as it would be if the shards had their usual names: beside an old model in an
   * object store, numbers have six digits.
   */
  static String plain(String text) {
    return text.replaceAll("-0(\\d{5})-of-0(\\d{5})\\b", "-$1-of-$2");
  }

  /** Whether a file is one of this model, whole. */
  boolean has(String path, byte[] content) {
    byte[] own = files.get(plain(path));
    return own != null && (Arrays.equals(own, content) || isIndexLike(path, own, content));
  }

  private static boolean isIndexLike(String path, byte[] own, byte[] content) {
    return path.endsWith(INDEX) && text(own).equals(plain(text(content)));
  }

  private static String text(byte[] content) {
    return new String(content, StandardCharsets.UTF_8);
  }

  /**
   * What a loader would miss that takes the model from an entry, an index or a single file; empty
   * if it gets all of it.
   */
  Optional<String> missing(Map<String, byte[]> visible, String entry) {
    if (!has(entry, visible.get(entry))) {
      return Optional.of(entry + " is not that of the " + name + " model");
    }
    if (!entry.endsWith(INDEX)) {
      return Optional.empty();
    }
    for (String shard : named(visible.get(entry))) {
      byte[] there = visible.get(shard);
      if (there == null) {
        return Optional.of(entry + " names " + shard + ", which is not there");
      }
      if (!has(shard, there)) {
        return Optional.of(shard + " has other bits than in the " + name + " model");
      }
    }
    return Optional.empty();
  }

  private static Set<String> named(byte[] index) {
    try {
      Set<String> shards = new TreeSet<>();
      for (JsonNode shard : JSON.readTree(index).path("weight_map")) {
        shards.add(shard.asText());
      }
      return shards;
    } catch (IOException e) {
      throw new IllegalArgumentException("an index that is no JSON", e);
    }
  }
}
