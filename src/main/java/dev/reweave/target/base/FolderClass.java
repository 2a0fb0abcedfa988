package dev.reweave.target.base;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;

/** Finds the class of a component from the configs in its folder. */
final class FolderClass {
  static final String CONFIG = "config.json";
  static final String SCHEDULER_CONFIG = "scheduler_config.json";
  static final String TOKENIZER_CONFIG = "tokenizer_config.json";
  static final String PREPROCESSOR_CONFIG = "preprocessor_config.json";

  /** Files that make a folder a component. */
  static final Set<String> CONFIGS =
      Set.of(CONFIG, SCHEDULER_CONFIG, TOKENIZER_CONFIG, PREPROCESSOR_CONFIG);

  private static final String DIFFUSERS = "diffusers";
  private static final String TRANSFORMERS = "transformers";
  private static final String CLASS_NAME = "_class_name";
  private static final String PROCESSOR_CLASS = "processor_class";

  // What tokenizers need that are not "fast"; those have a tokenizer.json.
  private static final Set<String> VOCABULARIES =
      Set.of(
          "spiece.model",
          "tokenizer.model",
          "sentencepiece.bpe.model",
          "spm.model",
          "vocab.json",
          "vocab.txt");

  private static final String DIFFUSERS_VERSION = "_diffusers_version";

  private final Set<String> names;
  private final Function<String, JsonNode> read;

  /**
   * @param names of the files in the folder
   * @param read reads one of them
   */
  FolderClass(Set<String> names, Function<String, JsonNode> read) {
    this.names = names;
    this.read = read;
  }

  /** Empty if no config says. */
  Optional<LibraryClass> find() {
    return model()
        .or(() -> string(SCHEDULER_CONFIG, CLASS_NAME).flatMap(c -> of(DIFFUSERS, c)))
        .or(this::processor)
        .or(this::tokenizer);
  }

  /**
   * Whether diffusers saved a model with this {@code config.json}: it says of which class and by
   * which version ({@code to_json_string} in {@code diffusers/configuration_utils.py}).
   */
  static boolean isOfDiffusers(JsonNode config) {
    return ConfigJson.string(config, CLASS_NAME).isPresent()
        && ConfigJson.string(config, DIFFUSERS_VERSION).isPresent();
  }

  private Optional<LibraryClass> model() {
    if (!names.contains(CONFIG)) {
      return Optional.empty();
    }
    JsonNode config = read.apply(CONFIG);
    return ConfigJson.string(config, CLASS_NAME)
        .flatMap(c -> of(DIFFUSERS, c))
        .or(() -> of(TRANSFORMERS, config.path("architectures").path(0).asText()));
  }

  private Optional<LibraryClass> processor() {
    // A processor is an image processor and a tokenizer in one folder.
    Optional<String> whole =
        names.contains(TOKENIZER_CONFIG)
            ? string(PREPROCESSOR_CONFIG, PROCESSOR_CLASS)
            : Optional.empty();
    return whole
        .or(() -> string(PREPROCESSOR_CONFIG, "image_processor_type"))
        .or(() -> string(PREPROCESSOR_CONFIG, "feature_extractor_type"))
        .or(() -> string(PREPROCESSOR_CONFIG, PROCESSOR_CLASS))
        .flatMap(c -> of(TRANSFORMERS, c));
  }

  private Optional<LibraryClass> tokenizer() {
    return string(TOKENIZER_CONFIG, "tokenizer_class")
        .flatMap(c -> of(TRANSFORMERS, isFastAlone() && !c.endsWith("Fast") ? c + "Fast" : c));
  }

  // transformers leaves "Fast" out of the config, whichever of the two it has saved.
  private boolean isFastAlone() {
    return names.contains("tokenizer.json") && names.stream().noneMatch(VOCABULARIES::contains);
  }

  private Optional<String> string(String file, String key) {
    return names.contains(file) ? ConfigJson.string(read.apply(file), key) : Optional.empty();
  }

  private static Optional<LibraryClass> of(String library, String name) {
    return LibraryClass.of(PipelineTable.moduleOf(name).orElse(library), name);
  }
}
