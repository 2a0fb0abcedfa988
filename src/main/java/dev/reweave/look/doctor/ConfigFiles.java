package dev.reweave.look.doctor;

import com.fasterxml.jackson.databind.JsonNode;
import dev.reweave.storage.InputFile;
import dev.reweave.storage.Stores;
import dev.reweave.target.base.BaseFolder;
import dev.reweave.target.base.ConfigJson;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;

/** The configs of a folder and of those below it, each read once; what is no JSON is a finding. */
final class ConfigFiles {
  private static final Set<String> NAMES =
      Set.of(
          BaseFolder.MODEL_INDEX,
          FolderExam.CONFIG,
          "scheduler_config.json",
          "tokenizer_config.json",
          "preprocessor_config.json",
          "generation_config.json",
          "adapter_config.json");

  private final Stores stores;
  private final Findings findings;
  private final SortedMap<String, InputFile> files;
  private final Map<String, Optional<JsonNode>> read = new HashMap<>();

  ConfigFiles(Stores stores, Findings findings, SortedMap<String, InputFile> files) {
    this.stores = stores;
    this.findings = findings;
    this.files = files;
  }

  /** The object in a file; empty if there is no such file, or it is unsound. */
  Optional<JsonNode> read(String path) {
    InputFile file = files.get(path);
    if (file == null || findings.isBad(file.uri())) {
      return Optional.empty();
    }
    return read.computeIfAbsent(
        path,
        p ->
            findings.attempt(
                () -> ConfigJson.object(stores.readAll(file, ConfigJson.MAX_BYTES), file.uri())));
  }

  /** All sound configs, by address. */
  Map<String, JsonNode> versioned() {
    Map<String, JsonNode> configs = new LinkedHashMap<>();
    files.forEach(
        (path, file) -> {
          if (NAMES.contains(file.name())) {
            read(path).ifPresent(config -> configs.put(file.uri(), config));
          }
        });
    return configs;
  }

  String uri(String path) {
    return files.get(path).uri();
  }
}
