package dev.reweave.look.report;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Python that loads a whole model, by the class that its config names. Configs are of unknown
 * origin: what is no name of a class is not repeated.
 *
 * @param names of the result's tensors, and of those that are tied to them
 * @param types of the tensors, as torch calls them
 * @param variant of the weight files
 */
record ModelCode(List<String> names, List<String> types, Optional<String> variant) {
  private static final String CAUSAL = "ForCausalLM";

  /** What diffusers makes numbers of 32 bits of, unless it is told. */
  private static final Set<String> HALVES = Set.of("bfloat16", "float16");

  /** All of a pipeline; empty if its index names none. */
  Optional<List<String>> ofPipeline(JsonNode index, String path) {
    return PythonText.identifier(index.path("_class_name"))
        .map(pipeline -> diffusers("pipe", "DiffusionPipeline", path));
  }

  /** A model of diffusers; empty if the config names none. */
  Optional<List<String>> ofDiffusers(JsonNode config, String path) {
    return PythonText.identifier(config.path("_class_name"))
        .map(model -> diffusers("model", model, path));
  }

  private List<String> diffusers(String variable, String type, String path) {
    List<String> code = new ArrayList<>();
    StringBuilder arguments = new StringBuilder(arguments(path));
    if (types.size() == 1 && HALVES.contains(types.get(0))) {
      code.add("import torch");
      arguments.append(", torch_dtype=torch.").append(types.get(0));
    }
    code.add("from diffusers import " + type);
    code.add("");
    code.add(variable + " = " + type + ".from_pretrained(" + arguments + ")");
    return code;
  }

  /** A model of transformers; empty if the config names none. */
  Optional<List<String>> ofTransformers(JsonNode config, String path) {
    return type(config)
        .map(
            type ->
                List.of(
                    "from transformers import " + type,
                    "",
                    "model = "
                        + type
                        + ".from_pretrained("
                        + arguments(path)
                        + code(config)
                        + ")"));
  }

  private Optional<String> type(JsonNode config) {
    return PythonText.identifier(config.path("architectures").path(0))
        .map(named -> ownClass(config, named).orElse(named.endsWith(CAUSAL) ? auto() : named))
        .or(
            () ->
                PythonText.identifier(config.path("model_type"))
                    .map(kind -> isCausal() ? auto() : "AutoModel"));
  }

  private static String auto() {
    return "AutoModel" + CAUSAL;
  }

  /** The class by which transformers finds one whose code lies in the folder. */
  private static Optional<String> ownClass(JsonNode config, String named) {
    return config.path("auto_map").properties().stream()
        .filter(entry -> entry.getValue().asText().endsWith("." + named))
        .map(Map.Entry::getKey)
        .filter(auto -> auto.matches("AutoModel\\w*"))
        .findFirst();
  }

  private static String code(JsonNode config) {
    String named = config.path("architectures").path(0).asText();
    return ownClass(config, named).isPresent() ? ", trust_remote_code=True" : "";
  }

  /** Models without a head have no part of this name. */
  private boolean isCausal() {
    return names.stream().anyMatch(n -> n.startsWith("model.") || n.equals("lm_head.weight"));
  }

  private String arguments(String path) {
    return PythonText.quoted(path)
        + variant.map(name -> ", variant=" + PythonText.quoted(name)).orElse("");
  }
}
