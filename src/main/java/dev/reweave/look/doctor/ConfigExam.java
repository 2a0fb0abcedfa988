package dev.reweave.look.doctor;

import com.fasterxml.jackson.databind.JsonNode;
import dev.reweave.target.base.ConfigFit;
import dev.reweave.target.base.ConfigJson;
import dev.reweave.tensor.DType;
import dev.reweave.tensor.TensorSpec;
import java.util.EnumMap;
import java.util.Map;
import java.util.Optional;

/** Compares the {@code config.json} of a folder with the weights beside it. */
final class ConfigExam {
  private static final String REMEDY =
      "use the config.json of the model that was trained, or convert with --base";

  private final ConfigFiles configs;
  private final String path;
  private final Findings findings;

  ConfigExam(ConfigFiles configs, String folder, Findings findings) {
    this.configs = configs;
    this.path = folder.isEmpty() ? FolderExam.CONFIG : folder + "/" + FolderExam.CONFIG;
    this.findings = findings;
  }

  /**
   * Compares.
   *
   * @param tensors by name
   * @param variant whether they are a variant, which need not have the type of the config
   */
  void examine(Map<String, TensorSpec> tensors, boolean variant) {
    Optional<JsonNode> config = configs.read(path);
    // A quantizer packs tensors into other shapes and types.
    if (config.isEmpty() || config.get().has("quantization_config")) {
      return;
    }
    String place = configs.uri(path);
    for (String contradiction : ConfigFit.contradictions(config.get(), tensors)) {
      findings.problem("config.json does not fit the weights: " + contradiction, place, REMEDY);
    }
    if (ConfigFit.isLanguageModel(config.get())) {
      examineTie(config.get(), tensors, place);
    }
    if (!variant) {
      examineType(config.get(), tensors, place);
    }
  }

  private void examineTie(JsonNode config, Map<String, TensorSpec> tensors, String place) {
    JsonNode tie = config.path("tie_word_embeddings");
    boolean head = tensors.containsKey("lm_head.weight");
    Optional<String> missing = ConfigFit.missingHead(config, tensors);
    if (missing.isPresent()) {
      findings.problem(
          "config.json does not fit the weights: " + missing.get(),
          place,
          "set tie_word_embeddings to true if the two were tied in training, or else convert"
              + " again");
    } else if (tie.isBoolean() && tie.booleanValue() && head) {
      findings.info(
          "tie_word_embeddings is true, and there is a lm_head.weight: it is not used", place);
    }
  }

  private void examineType(JsonNode config, Map<String, TensorSpec> tensors, String place) {
    Optional<DType> stated =
        ConfigJson.string(config, "torch_dtype")
            .or(() -> ConfigJson.string(config, "dtype"))
            .flatMap(t -> DType.ofTorchName(t.replaceFirst("^torch\\.", "")));
    Map<DType, Long> elements = new EnumMap<>(DType.class);
    tensors.values().stream()
        .filter(t -> t.dtype().isCastable())
        .forEach(t -> elements.merge(t.dtype(), t.elements(), Long::sum));
    Optional<DType> most =
        elements.entrySet().stream().max(Map.Entry.comparingByValue()).map(Map.Entry::getKey);
    if (stated.isPresent() && most.isPresent() && !stated.equals(most)) {
      findings.warning(
          "config.json says "
              + stated.get().torchName()
              + ", and most of the weights are "
              + most.get().torchName(),
          place,
          "correct torch_dtype (or dtype), as loaders cast to it, or convert with --dtype "
              + stated.get().torchName());
    }
  }
}
