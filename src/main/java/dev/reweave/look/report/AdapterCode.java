package dev.reweave.look.report;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Python that loads an adapter onto the model that it was trained on. */
final class AdapterCode {
  /** By PEFT's {@code TaskType}, what transformers loads the model with. */
  private static final Map<String, String> CLASSES =
      Map.of(
          "CAUSAL_LM", "AutoModelForCausalLM",
          "SEQ_2_SEQ_LM", "AutoModelForSeq2SeqLM",
          "SEQ_CLS", "AutoModelForSequenceClassification",
          "TOKEN_CLS", "AutoModelForTokenClassification",
          "QUESTION_ANS", "AutoModelForQuestionAnswering",
          "FEATURE_EXTRACTION", "AutoModel");

  /** What tensors of a language model's adapter begin with. */
  private static final String CAUSAL = "base_model.model.model.";

  private static final Set<String> LIBRARIES = Set.of("transformers", "diffusers");
  private static final String UNKNOWN = "  # the model that the adapter was trained on";

  private AdapterCode() {}

  private record Loader(String library, String type) {}

  /**
   * An adapter of PEFT.
   *
   * @param config its {@code adapter_config.json}
   * @param names of its tensors
   */
  static List<String> ofPeft(JsonNode config, String path, List<String> names) {
    Optional<Loader> loader = loader(config, names);
    List<String> code = new ArrayList<>(List.of("from peft import PeftModel"));
    loader.ifPresent(l -> code.add("from " + l.library() + " import " + l.type()));
    code.add("");
    code.add("base = " + loader.map(l -> base(l, config)).orElse("..." + UNKNOWN));
    code.add("model = PeftModel.from_pretrained(base, " + PythonText.quoted(path) + ")");
    return code;
  }

  private static String base(Loader loader, JsonNode config) {
    String place = config.path("base_model_name_or_path").asText("");
    boolean known = !place.isEmpty() && !place.equals("null");
    return loader.type()
        + ".from_pretrained("
        + PythonText.quoted(known ? place : "MODEL")
        + ")"
        + (known ? "" : UNKNOWN);
  }

  private static Optional<Loader> loader(JsonNode config, List<String> names) {
    JsonNode trained = config.path("auto_mapping");
    String library = trained.path("parent_library").asText("").replaceFirst("\\..*", "");
    return Optional.ofNullable(CLASSES.get(config.path("task_type").asText("")))
        .map(type -> new Loader("transformers", type))
        .or(
            () ->
                PythonText.identifier(trained.path("base_model_class"))
                    .filter(type -> LIBRARIES.contains(library))
                    .map(type -> new Loader(library, type)))
        .or(
            () ->
                Optional.of(new Loader("transformers", CLASSES.get("CAUSAL_LM")))
                    .filter(l -> names.stream().anyMatch(name -> name.startsWith(CAUSAL))));
  }

  /** An adapter as diffusers saves it. */
  static List<String> ofDiffusers(String path, String file) {
    return List.of(
        "from diffusers import DiffusionPipeline",
        "",
        "pipe = DiffusionPipeline.from_pretrained(\"MODEL\")" + UNKNOWN,
        "pipe.load_lora_weights("
            + PythonText.quoted(path)
            + ", weight_name="
            + PythonText.quoted(file)
            + ")");
  }
}
