package dev.reweave.checkpoint.adapter;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.reweave.checkpoint.Adapter;
import dev.reweave.tensor.NamedTensor;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Makes the {@code adapter_config.json} of an adapter from the names and shapes of its tensors, as
 * far as they tell, and from what is said beside them.
 */
final class InferredConfig {
  private static final ObjectMapper JSON =
      JsonMapper.builder().enable(SerializationFeature.INDENT_OUTPUT).build();

  private static final String ALPHA = "lora_alpha";
  private static final String PARAMETERS = "target_parameters";
  private static final String TOKENS = "trainable_token_indices";

  /** As in the adapter's file. */
  private static final Pattern LAYER =
      Pattern.compile(
          "(?:base_model\\.model\\.)?(.*)\\.(lora_[A-Za-z_]+|trainable_tokens_delta)(\\..*)?");

  private static final Pattern PARAMETER =
      Pattern.compile("(?:base_model\\.model\\.)?(.*)\\.([^.]+)");

  private static final String BIAS = "bias";
  private static final String BASE_LAYER = ".base_layer";

  /** Where a layer stands around a parameter and not a module: {@code ParamWrapper}. */
  private static final Pattern AROUND_PARAMETER =
      Pattern.compile(".*\\.base_layer|(?:.*\\.)?experts");

  private final Map<String, Long> ranks = new TreeMap<>();
  private final Set<String> kinds = new TreeSet<>();
  private final Map<String, Set<String>> others = new TreeMap<>();

  /**
   * Of an adapter alone.
   *
   * @param tensors under the names of its file
   */
  InferredConfig(List<NamedTensor> tensors) {
    for (NamedTensor tensor : tensors) {
      Matcher layer = LAYER.matcher(tensor.name());
      Matcher parameter = PARAMETER.matcher(tensor.name());
      if (layer.matches()) {
        String kind = layer.group(2) + Optional.ofNullable(layer.group(3)).orElse("");
        kinds.add(kind);
        if (kind.equals("lora_A.weight") || kind.equals("lora_embedding_A")) {
          ranks.put(layer.group(1), tensor.spec().shape().dim(0));
        }
      } else if (parameter.matches()) {
        others.computeIfAbsent(parameter.group(1), m -> new TreeSet<>()).add(parameter.group(2));
      }
    }
  }

  /** The config of the adapter, with what is found beside it, which counts first. */
  Adapter with(Optional<LoraConfig> found) {
    if (found.filter(LoraConfig::isWhole).isPresent()) {
      LoraConfig config = found.get();
      return new Adapter(Optional.of(config.text()), Optional.of(config.file()), List.of());
    }
    Map<String, JsonNode> config = made();
    found.ifPresent(f -> f.json().properties().forEach(e -> config.put(e.getKey(), e.getValue())));
    List<String> missing = new ArrayList<>();
    if (!config.containsKey(ALPHA)) {
      missing.add(ALPHA);
    }
    if (ranks.keySet().stream().anyMatch(InferredConfig::isAroundParameter)
        && !config.containsKey(PARAMETERS)) {
      missing.add(PARAMETERS);
    }
    if (kinds.contains("trainable_tokens_delta") && !config.containsKey(TOKENS)) {
      missing.add(TOKENS);
    }
    return new Adapter(
        missing.isEmpty() ? Optional.of(text(config)) : Optional.empty(),
        found.map(LoraConfig::file),
        missing);
  }

  private Map<String, JsonNode> made() {
    Set<String> saved = new TreeSet<>();
    Set<String> biased = new TreeSet<>();
    others.forEach(
        (module, parameters) -> {
          if (parameters.equals(Set.of(BIAS))) {
            biased.add(module);
          } else if (!module.endsWith(BASE_LAYER)) {
            saved.add(module);
          }
        });
    long usual = usualRank();
    ObjectNode config = JSON.createObjectNode();
    config.put("peft_type", "LORA");
    config.putNull("task_type");
    config.putNull("base_model_name_or_path");
    config.put("inference_mode", true);
    config.put("r", usual);
    ObjectNode pattern = config.putObject("rank_pattern");
    ranks.forEach(
        (module, rank) -> {
          if (rank != usual) {
            pattern.put(module, rank);
          }
        });
    config.set(
        "target_modules",
        array(ranks.keySet().stream().filter(m -> !isAroundParameter(m)).toList()));
    config.put("lora_dropout", 0.0);
    config.put("fan_in_fan_out", false);
    config.put("use_rslora", false);
    config.put("use_dora", kinds.contains("lora_magnitude_vector"));
    config.put("lora_bias", kinds.contains("lora_B.bias"));
    config.put("bias", bias(biased));
    config.set("modules_to_save", saved.isEmpty() ? JSON.nullNode() : array(saved));
    Map<String, JsonNode> sorted = new TreeMap<>();
    config.properties().forEach(entry -> sorted.put(entry.getKey(), entry.getValue()));
    return sorted;
  }

  private static boolean isAroundParameter(String module) {
    return AROUND_PARAMETER.matcher(module).matches();
  }

  private static String bias(Set<String> biased) {
    return biased.isEmpty()
        ? "none"
        : biased.stream().allMatch(module -> module.endsWith(BASE_LAYER)) ? "lora_only" : "all";
  }

  private long usualRank() {
    Map<Long, Integer> counts = new HashMap<>();
    ranks.values().forEach(rank -> counts.merge(rank, 1, Integer::sum));
    return counts.entrySet().stream()
        .max(Map.Entry.<Long, Integer>comparingByValue().thenComparing(Map.Entry.comparingByKey()))
        .map(Map.Entry::getKey)
        .orElse(0L);
  }

  private static ArrayNode array(Collection<String> texts) {
    ArrayNode array = JSON.createArrayNode();
    texts.forEach(array::add);
    return array;
  }

  private static String text(Map<String, JsonNode> config) {
    try {
      return JSON.writeValueAsString(config) + "\n";
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }
}
