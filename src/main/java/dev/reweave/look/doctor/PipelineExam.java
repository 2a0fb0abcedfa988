package dev.reweave.look.doctor;

import com.fasterxml.jackson.databind.JsonNode;
import dev.reweave.checkpoint.huggingface.WeightFiles;
import dev.reweave.storage.InputFile;
import dev.reweave.target.base.BaseFolder;
import dev.reweave.target.base.ConfigJson;
import dev.reweave.target.base.LibraryClass;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/** Compares a {@code model_index.json} with the folders beside it, both ways. */
final class PipelineExam {
  private static final String REMEDY =
      "a pipeline does not load without it: copy it from the model that was trained, or convert"
          + " with --base";

  private final String address;
  private final String index;
  private final JsonNode content;
  private final SortedMap<String, List<InputFile>> folders;
  private final Findings findings;
  private final SortedMap<String, LibraryClass> components = new TreeMap<>();

  /**
   * @param folders the files in each folder, by its path
   */
  PipelineExam(
      String address,
      JsonNode content,
      SortedMap<String, List<InputFile>> folders,
      Findings findings) {
    this.address = address;
    this.index = address + "/" + BaseFolder.MODEL_INDEX;
    this.content = content;
    this.folders = folders;
    this.findings = findings;
    for (Map.Entry<String, JsonNode> member : content.properties()) {
      LibraryClass.ofPair(member.getValue()).ifPresent(c -> components.put(member.getKey(), c));
    }
  }

  /** Whether the pipeline loads a folder. */
  boolean names(String folder) {
    return components.containsKey(folder);
  }

  void examine() {
    Optional<String> pipeline = ConfigJson.string(content, "_class_name");
    if (pipeline.isEmpty()) {
      findings.problem(
          "model_index.json has no _class_name, which says what loads it",
          index,
          "copy the file from the model that was trained");
    }
    if (components.isEmpty()) {
      findings.problem(
          "model_index.json names no components",
          index,
          "copy the file from the model that was trained");
    }
    components.forEach(this::examine);
    pipeline.ifPresent(
        name -> findings.info(name + " of " + String.join(", ", components.keySet()), address));
    folders.forEach(
        (folder, files) -> {
          boolean top = !folder.isEmpty() && folder.indexOf('/') < 0;
          if (top && !names(folder) && files.stream().anyMatch(FolderExam::isOfModel)) {
            findings.info(
                "model_index.json does not name this folder: the pipeline does not load it",
                address + "/" + folder);
          }
        });
  }

  private void examine(String folder, LibraryClass type) {
    String place = address + "/" + folder;
    List<InputFile> files = folders.getOrDefault(folder, List.of());
    boolean there = folders.keySet().stream().anyMatch(f -> (f + "/").startsWith(folder + "/"));
    if (!there) {
      findings.problem(
          "model_index.json names " + folder + " (" + type + "), which is not there",
          place,
          REMEDY);
      return;
    }
    Kind kind = Kind.of(type.name());
    if (!kind.equals(Kind.OTHER)
        && files.stream().noneMatch(f -> kind.configs().contains(f.name()))) {
      findings.problem(
          folder + " (" + type + ") has no " + String.join(" or ", kind.configs()), place, REMEDY);
    }
    if (kind.equals(Kind.MODEL) && files.stream().noneMatch(f -> WeightFiles.isWeights(f.name()))) {
      findings.problem(folder + " (" + type + ") has no weights", place, REMEDY);
    }
  }

  /** What a component is, as far as its files go. */
  private enum Kind {
    TOKENIZER,
    SCHEDULER,
    PROCESSOR,
    MODEL,
    OTHER;

    /** Configs, one of which it has. */
    List<String> configs() {
      return switch (this) {
        case TOKENIZER -> List.of("tokenizer_config.json", "tokenizer.json");
        case SCHEDULER -> List.of("scheduler_config.json");
        case PROCESSOR ->
            List.of(
                "preprocessor_config.json",
                "processor_config.json",
                "video_preprocessor_config.json");
        case MODEL -> List.of(FolderExam.CONFIG);
        case OTHER -> List.of();
      };
    }

    static Kind of(String className) {
      if (className.contains("Tokenizer")) {
        return TOKENIZER;
      }
      if (className.contains("Scheduler")) {
        return SCHEDULER;
      }
      if (className.startsWith("Onnx") || className.endsWith("Guidance")) {
        return OTHER;
      }
      return className.contains("Processor") || className.contains("FeatureExtractor")
          ? PROCESSOR
          : MODEL;
    }
  }
}
