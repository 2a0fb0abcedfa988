package dev.reweave.target.base;

import com.fasterxml.jackson.databind.JsonNode;
import dev.reweave.common.PythonVersion;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * The version of a library that wrote a config.
 *
 * @param path of the config in the base
 * @param library {@code diffusers} or {@code transformers}
 * @param version as it stands there, such as {@code 0.32.0.dev0}
 */
public record LibraryVersion(String path, String library, String version) {
  private static final SortedMap<String, String> KEYS =
      Collections.unmodifiableSortedMap(
          new TreeMap<>(
              Map.of("_diffusers_version", "diffusers", "transformers_version", "transformers")));

  private static final List<String> CONFIGS =
      List.of(
          BaseFolder.MODEL_INDEX,
          FolderClass.CONFIG,
          FolderClass.SCHEDULER_CONFIG,
          "generation_config.json");

  /** What the configs of a base and of its components say, by path. */
  public static List<LibraryVersion> of(BaseFolder base) {
    List<LibraryVersion> found = new ArrayList<>();
    for (String path : base.files().keySet()) {
      String name = path.substring(path.lastIndexOf('/') + 1);
      String folder = path.substring(0, Math.max(0, path.lastIndexOf('/')));
      if (CONFIGS.contains(name) && (folder.isEmpty() || base.components().containsKey(folder))) {
        JsonNode config = base.json(path);
        KEYS.forEach(
            (key, library) ->
                ConfigJson.string(config, key)
                    .filter(PythonVersion::isVersion)
                    .ifPresent(v -> found.add(new LibraryVersion(path, library, v))));
      }
    }
    return found;
  }

  /** The newest of these versions; empty if there are none. */
  public static Optional<String> newest(List<LibraryVersion> versions) {
    return versions.stream().map(LibraryVersion::version).max(PythonVersion::compare);
  }
}
