package dev.reweave.plan.prepare;

import com.fasterxml.jackson.databind.JsonNode;
import dev.reweave.checkpoint.Checkpoint;
import dev.reweave.common.ReweaveException;
import dev.reweave.storage.InputFile;
import dev.reweave.storage.Stores;
import dev.reweave.target.base.ConfigJson;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/**
 * What is known of the model of a checkpoint beside its tensors: the arguments that the trainer
 * stored, or what the {@code config.json} beside a model says. Read when it is asked for, and once.
 */
final class StoredArguments {
  private static final String CONFIG = "config.json";

  private final Stores stores;
  private final Checkpoint checkpoint;
  private Optional<Map<String, JsonNode>> found = Optional.empty();

  StoredArguments(Stores stores, Checkpoint checkpoint) {
    this.stores = stores;
    this.checkpoint = checkpoint;
  }

  /** By their names there. */
  Map<String, JsonNode> values() {
    if (found.isEmpty()) {
      Map<String, JsonNode> stored = checkpoint.arguments().values();
      found = Optional.of(stored.isEmpty() ? ofConfig() : stored);
    }
    return found.get();
  }

  private Map<String, JsonNode> ofConfig() {
    boolean model =
        !checkpoint.files().isEmpty()
            && checkpoint.files().stream().allMatch(f -> f.name().endsWith(".safetensors"));
    Optional<InputFile> config =
        model
            ? stores.file(checkpoint.files().get(0).location().sibling(CONFIG))
            : Optional.empty();
    return config.map(this::values).orElse(Map.of());
  }

  private Map<String, JsonNode> values(InputFile config) {
    Map<String, JsonNode> values = new HashMap<>();
    try {
      byte[] json = stores.readAll(config, ConfigJson.MAX_BYTES);
      for (Map.Entry<String, JsonNode> entry : ConfigJson.object(json, config.uri()).properties()) {
        if (entry.getValue().isValueNode() && !entry.getValue().isNull()) {
          values.put(entry.getKey(), entry.getValue());
        }
      }
    } catch (ReweaveException e) {
      e.throwIfOfStore();
      // What is no config tells nothing, and most mappings need nothing of it.
      return Map.of();
    }
    return values;
  }
}
