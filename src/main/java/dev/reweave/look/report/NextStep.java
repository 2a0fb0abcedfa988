package dev.reweave.look.report;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import dev.reweave.checkpoint.Adapter;
import dev.reweave.checkpoint.ReadOptions;
import dev.reweave.common.JsonReader;
import dev.reweave.common.Location;
import dev.reweave.common.Option;
import dev.reweave.common.ReweaveException;
import dev.reweave.manifest.Manifest;
import dev.reweave.manifest.WrittenTensor;
import dev.reweave.plan.PlanOptions;
import dev.reweave.plan.UniversalFiles;
import dev.reweave.storage.Stores;
import dev.reweave.target.base.BaseFolder;
import dev.reweave.target.base.LibraryClass;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What to type when a conversion is done: the Python that loads its result, by the library whose
 * configs lie beside the weights; for what is not on this machine, how it is checked and fetched.
 */
public final class NextStep {
  private static final String MODEL_CONFIG = "config.json";
  private static final int MOST_BYTES = 1 << 20;

  /** Names of files that libraries look for; of others they must be told. */
  private static final Pattern LOOKED_FOR =
      Pattern.compile(
          "(?<stem>(pytorch_|diffusion_pytorch_)?model|adapter_model|pytorch_lora_weights)"
              + "(\\.(?<variant>[A-Za-z0-9_-]+?))?(-\\d{5}-of-\\d{5})?\\.(safetensors|bin)");

  private final Stores stores;
  private final Manifest manifest;
  private final Location output;

  private NextStep(Stores stores, Manifest manifest, Location output) {
    this.stores = stores;
    this.manifest = manifest;
    this.output = output;
  }

  /**
   * Lines that begin with the title; what is to be copied follows behind an empty line, without an
   * indent.
   */
  public static List<String> of(Stores stores, Manifest manifest, Location output) {
    if (!stores.isOnThisMachine(output)) {
      return FarAway.lines(output);
    }
    if (manifest.result().shards().isEmpty()) {
      return List.of();
    }
    if (manifest.result().files().stream().anyMatch(f -> f.name().equals(UniversalFiles.LATEST))) {
      return new NextStep(stores, manifest, output).deepSpeed();
    }
    List<String> lines = new ArrayList<>(List.of("next   load it with Python:", ""));
    lines.addAll(new NextStep(stores, manifest, output).python());
    return lines;
  }

  private List<String> deepSpeed() {
    return List.of(
        "next   go on from it with any number of ranks; in DeepSpeed's configuration",
        "       \"checkpoint\": {\"load_universal\": true}, and in Python:",
        "",
        "engine.load_checkpoint(" + PythonText.quoted(path("")) + ")");
  }

  private List<String> python() {
    String first = manifest.result().shards().get(0).name();
    String folder = first.substring(0, first.lastIndexOf('/') + 1);
    Matcher file = LOOKED_FOR.matcher(first.substring(folder.length()));
    Optional<List<String>> known =
        file.matches()
            ? byLibrary(folder, file.group("stem"), Optional.ofNullable(file.group("variant")))
            : Optional.empty();
    return known.orElseGet(() -> TensorCode.lines(manifest.result(), path("")));
  }

  private Optional<List<String>> byLibrary(String folder, String stem, Optional<String> variant) {
    boolean isOneFile = manifest.result().shards().size() == 1;
    String file = manifest.result().shards().get(0).name().substring(folder.length());
    return switch (stem) {
      case "adapter_model" ->
          json(folder + Adapter.CONFIG_NAME)
              .filter(config -> isOneFile)
              .map(config -> AdapterCode.ofPeft(config, path(folder), names()));
      case "pytorch_lora_weights" ->
          Optional.of(AdapterCode.ofDiffusers(path(folder), file)).filter(code -> isOneFile);
      default -> isWhole() ? model(folder, stem, variant) : Optional.empty();
    };
  }

  private Optional<List<String>> model(String folder, String stem, Optional<String> variant) {
    ModelCode code = new ModelCode(names(), torchTypes(), variant);
    Optional<List<String>> pipeline =
        json(BaseFolder.MODEL_INDEX)
            .filter(this::isComplete)
            .flatMap(index -> code.ofPipeline(index, path("")));
    return pipeline.or(
        () ->
            json(folder + MODEL_CONFIG)
                .flatMap(
                    config ->
                        stem.startsWith("diffusion_")
                            ? code.ofDiffusers(config, path(folder))
                            : code.ofTransformers(config, path(folder))));
  }

  /** Whether all that a pipeline's index names is there; without it, no pipeline loads. */
  private boolean isComplete(JsonNode index) {
    return index.properties().stream()
        .filter(member -> LibraryClass.ofPair(member.getValue()).isPresent())
        .map(Map.Entry::getKey)
        .allMatch(name -> name.matches("\\w+") && isFolder(name));
  }

  private boolean isFolder(String name) {
    try {
      return stores.isFolder(output.child(name));
    } catch (ReweaveException e) {
      return false; // Who may not look into it cannot load it either.
    }
  }

  /** Whether nothing of the model was left out by the one who asked for it. */
  private boolean isWhole() {
    return manifest.options().text(PlanOptions.ONLY).isEmpty()
        && !manifest
            .options()
            .text(ReadOptions.EXCLUDE_FROZEN)
            .equals(Option.written(ReadOptions.Frozen.EXCLUDE));
  }

  private List<String> names() {
    List<String> names = new ArrayList<>(manifest.result().dropped().keySet());
    manifest.result().weights().forEach(tensor -> names.add(tensor.name()));
    return names;
  }

  private List<String> torchTypes() {
    return manifest.result().weights().stream().map(WrittenTensor::dtype).distinct().toList();
  }

  /** A place in the result as a path of this machine. */
  private String path(String below) {
    String uri = below.isEmpty() ? output.uri() : output.child(below).uri();
    String path = uri.replaceFirst("^file:(//)?(?=/)", "");
    return path.length() > 1 && path.endsWith("/") ? path.substring(0, path.length() - 1) : path;
  }

  /**
   * A config of the result. What cannot be read of it is no reason to fail: the result is there.
   */
  private Optional<JsonNode> json(String name) {
    try {
      return stores
          .file(output.child(name))
          .filter(file -> file.length() <= MOST_BYTES)
          .map(file -> tree(stores.readAll(file, MOST_BYTES), file.uri()))
          .filter(JsonNode::isObject);
    } catch (ReweaveException e) {
      return Optional.empty();
    }
  }

  private static JsonNode tree(byte[] content, String place) {
    try {
      return JsonReader.AS_PYTHON_WRITES.tree(content, place);
    } catch (JsonReader.Broken e) {
      return MissingNode.getInstance();
    }
  }
}
