package dev.reweave.target.base;

import com.fasterxml.jackson.databind.JsonNode;
import dev.reweave.common.ReweaveException;
import dev.reweave.tensor.TensorSpec;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Whether a {@code config.json} is one of a model with given tensors, as far as it is known. */
public final class ConfigFit {
  private ConfigFit() {}

  /**
   * Requires that it is one.
   *
   * @param config bytes of a {@code config.json}
   * @param place its address
   * @throws ReweaveException if it is not
   */
  public static void require(byte[] config, String place, List<TensorSpec> tensors) {
    Map<String, TensorSpec> byName = new HashMap<>();
    tensors.forEach(t -> byName.put(t.name(), t));
    requireNone(contradictions(ConfigJson.object(config, place), byName), place);
  }

  /**
   * Requires the same of all of a model, of which nothing may be missing.
   *
   * @throws ReweaveException if the config is not one of it
   */
  public static void requireWhole(byte[] config, String place, List<TensorSpec> tensors) {
    require(config, place, tensors);
    Map<String, TensorSpec> byName = new HashMap<>();
    tensors.forEach(t -> byName.put(t.name(), t));
    requireNone(missingHead(ConfigJson.object(config, place), byName).stream().toList(), place);
  }

  private static void requireNone(List<String> contradictions, String place) {
    if (!contradictions.isEmpty()) {
      throw BaseFailures.unfitConfig(contradictions, place);
    }
  }

  /**
   * What of a config contradicts the tensors of its model; nothing where it is not known, or where
   * a quantizer has packed them into other shapes and types.
   */
  public static List<String> contradictions(JsonNode config, Map<String, TensorSpec> tensors) {
    return config.has("quantization_config")
        ? List.of()
        : className(config).map(ConfigRules::of).orElse(List.of()).stream()
            .flatMap(rule -> rule.contradiction(config, tensors).stream())
            .toList();
  }

  /** Says if a config ties no head to the embedding, and there is none; empty if all is well. */
  public static Optional<String> missingHead(JsonNode config, Map<String, TensorSpec> tensors) {
    JsonNode tie = config.path("tie_word_embeddings");
    boolean missing =
        isLanguageModel(config)
            && tie.isBoolean()
            && !tie.booleanValue()
            && tensors.containsKey("model.embed_tokens.weight")
            && !tensors.containsKey("lm_head.weight");
    return missing
        ? Optional.of("tie_word_embeddings is false, and there is no lm_head.weight")
        : Optional.empty();
  }

  /** Whether a config is one of a language model whose head can be tied to its embedding. */
  public static boolean isLanguageModel(JsonNode config) {
    return className(config).filter(ConfigRules::isLanguageModel).isPresent();
  }

  private static Optional<String> className(JsonNode config) {
    String architecture = config.path("architectures").path(0).asText();
    return ConfigJson.string(config, "_class_name")
        .or(() -> Optional.of(architecture).filter(a -> !a.isEmpty()));
  }
}
