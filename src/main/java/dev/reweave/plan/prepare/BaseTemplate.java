package dev.reweave.plan.prepare;

import dev.reweave.checkpoint.quantized.Quantization;
import dev.reweave.common.Location;
import dev.reweave.plan.PlannedFile;
import dev.reweave.plan.ResultModel;
import dev.reweave.plan.SmallFile;
import dev.reweave.storage.Checksum;
import dev.reweave.storage.InputFile;
import dev.reweave.target.base.BaseCheck;
import dev.reweave.target.base.BaseFolder;
import dev.reweave.target.base.Component;
import dev.reweave.target.base.ConfigAverage;
import dev.reweave.target.base.ConfigDtype;
import dev.reweave.target.base.ConfigFit;
import dev.reweave.target.base.ConfigQuantization;
import dev.reweave.target.base.Fitted;
import dev.reweave.target.base.ModelIndex;
import dev.reweave.tensor.DType;
import dev.reweave.tensor.NamedTensor;
import dev.reweave.tensor.TensorSpec;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/** What a base makes of a conversion: which of its files come along, and how they change. */
public final class BaseTemplate {
  private static final String CONFIG = "config.json";

  /**
   * What ModelOpt, AutoGPTQ and others tell of a quantization, beside the config or in its place.
   */
  private static final Set<String> OF_QUANTIZERS =
      Set.of("hf_quant_config.json", "quantization_config.json", "quantize_config.json");

  private final BaseChoice choice;
  private final BaseFolder base;
  private final Component component;
  private final Scales scales;
  private final Set<String> beside;
  private final Map<String, byte[]> read = new TreeMap<>();

  private BaseTemplate(BaseChoice choice, BaseFolder base, Component component, Scales scales) {
    this.choice = choice;
    this.base = base;
    this.component = component;
    this.scales = scales;
    this.beside = base.filesBeside(component).keySet();
  }

  /** Whether it has weights: of some, there is a config alone. */
  public boolean hasWeights() {
    return component.hasWeights();
  }

  /**
   * Reads a base, and finds the component in it that the tensors take the place of.
   *
   * @param scales of the tensors; where they have none, what the base has of them is not missing
   */
  public static BaseTemplate read(ChosenBase chosen, Renaming renaming, Scales scales) {
    BaseFolder base = chosen.folder();
    BaseChoice choice = chosen.choice();
    if (choice.pipeline().isPresent() && base.files().containsKey(BaseFolder.MODEL_INDEX)) {
      throw PrepareFailures.pipelineIsKnown(base.address().uri());
    }
    Component component =
        chosen.component(
            renaming.mapping().flatMap(m -> m.component()),
            renaming.tensors().stream().map(NamedTensor::name).toList());
    return new BaseTemplate(
        choice,
        base,
        scales == Scales.KEPT
            ? component
            : component.without(Quantization.of(component.tensors().values()).leftOut()),
        scales);
  }

  public Component component() {
    return component;
  }

  /** Where the weights are that the tensors take the place of. */
  public Location weightsAddress() {
    String path = component.path("");
    return path.isEmpty() ? base.address() : base.address().child(path.replaceFirst("/$", ""));
  }

  /** The tensors as the base has them. */
  public Renaming fitted(Renaming renaming) {
    Fitted fitted = base.fit(component, renaming.tensors(), renaming.aliases());
    List<String> notes = new ArrayList<>(renaming.notes());
    notes.addAll(fitted.notes());
    return new Renaming(
        renaming.mapping(), renaming.rows(), fitted.tensors(), fitted.aliases(), notes);
  }

  public List<String> notes() {
    List<String> notes = new ArrayList<>(base.notes());
    notes.addAll(component.notes());
    if (comesAlong(config())
        && file(config()).length() > 0
        && !Arrays.equals(ofModel(), unquantized())) {
      notes.add("the weights are not quantized: config.json comes without its quantization_config");
    }
    if (comesAlong(config())
        && file(config()).length() > 0
        && !Arrays.equals(content(config()), ofModel())) {
      notes.add(AverageConfig.WITHOUT);
    }
    List<String> ofQuantizers =
        base.files().keySet().stream().filter(p -> comesAlong(p) && isForeign(p)).toList();
    if (!ofQuantizers.isEmpty()) {
      notes.add("the weights are not quantized, so left out: " + String.join(", ", ofQuantizers));
    }
    return notes;
  }

  /** Requires that the result is what the base has, or a part of it. */
  public void require(Renaming renaming, Optional<String> only, String input) {
    List<TensorSpec> specs = renaming.tensors().stream().map(NamedTensor::spec).toList();
    BaseCheck check = new BaseCheck(component);
    if (only.isPresent()) {
      check.requireSubset(specs, renaming.aliases(), input);
    } else {
      check.require(specs, renaming.aliases(), input);
    }
    if (!component.hasWeights()) {
      requireConfig(specs, only);
    }
  }

  /** Without weights, the config is all that tells what the model is. */
  private void requireConfig(List<TensorSpec> specs, Optional<String> only) {
    String path = component.path(CONFIG);
    if (base.files().containsKey(path)) {
      if (only.isPresent()) {
        ConfigFit.require(content(path), file(path).uri(), specs);
      } else {
        ConfigFit.requireWhole(content(path), file(path).uri(), specs);
      }
    }
  }

  /** The type that a config states, if that is one of weights. */
  private Optional<DType> statedType() {
    return base.config(component)
        .flatMap(json -> ConfigDtype.of(json, component.address() + "/" + CONFIG));
  }

  /** What the tensors are in the base. */
  public ResultModel.Likeness like(Renaming renaming) {
    Map<String, ResultModel.Place> places = new HashMap<>();
    if (!component.hasWeights()) {
      statedType()
          .ifPresent(
              type ->
                  renaming
                      .tensors()
                      .forEach(t -> places.put(t.name(), new ResultModel.Place("", type))));
      return new ResultModel.Likeness(places, "");
    }
    component
        .tensors()
        .forEach(
            (name, spec) ->
                places.put(
                    name, new ResultModel.Place(component.shards().get(name), spec.dtype())));
    component
        .droppedNames()
        .forEach(
            (dropped, kept) -> {
              if (places.containsKey(kept)) {
                places.putIfAbsent(dropped, places.get(kept));
              }
            });
    return new ResultModel.Likeness(places, component.index().orElse(""));
  }

  /** The files that come along byte for byte, but for {@link #configs} and {@link #last}. */
  public List<String> copied() {
    return base.files().keySet().stream()
        .filter(this::comesAlong)
        .filter(path -> !path.equals(BaseFolder.MODEL_INDEX))
        .filter(path -> !path.equals(component.path(CONFIG)))
        .filter(path -> !isForeign(path))
        .filter(path -> base.files().get(path).length() > 0)
        .toList();
  }

  /** Whether it tells of a quantization that the weights do not have. */
  private boolean isForeign(String path) {
    return scales == Scales.GONE
        && OF_QUANTIZERS.stream().map(component::path).anyMatch(path::equals);
  }

  private String config() {
    return component.path(CONFIG);
  }

  /** The config without what a moving average of the base says of itself. */
  private byte[] ofModel() {
    return ConfigAverage.drop(content(config()), file(config()).uri());
  }

  /** The config as it fits the weights. */
  private byte[] unquantized() {
    byte[] content = ofModel();
    return scales == Scales.KEPT ? content : ConfigQuantization.drop(content, file(config()).uri());
  }

  private boolean comesAlong(String path) {
    if (!base.files().containsKey(path)) {
      return false;
    }
    String folder = component.path("");
    return switch (choice.mode()) {
      case NONE -> false;
      case REFERENCE ->
          path.startsWith(folder)
              && path.indexOf('/', folder.length()) < 0
              && !path.equals(BaseFolder.MODEL_INDEX)
              && beside.contains(path);
      case COPY -> beside.contains(path);
    };
  }

  /** All files of the base. */
  public Collection<InputFile> files() {
    return base.files().values();
  }

  public InputFile file(String path) {
    return base.files().get(path);
  }

  /**
   * A copy of a file.
   *
   * @param index of the file among the input files
   */
  public PlannedFile copy(String path, int index) {
    return PlannedFile.copy(path, index, base.files().get(path).length(), List.of());
  }

  /**
   * The small files before the index.
   *
   * @param dtype of most of the weights; empty if they have no floating-point ones
   */
  public List<SmallFile> configs(Optional<DType> dtype) {
    List<SmallFile> configs = new ArrayList<>();
    for (String path : base.files().keySet()) {
      if (comesAlong(path) && base.files().get(path).length() == 0) {
        configs.add(new SmallFile(path, new byte[0]));
      }
    }
    String path = config();
    if (comesAlong(path) && file(path).length() > 0) {
      byte[] content = unquantized();
      String place = file(path).uri();
      byte[] followed = dtype.map(d -> ConfigDtype.follow(content, d, place)).orElse(content);
      configs.add(new SmallFile(path, followed));
    }
    return configs;
  }

  /** The file that makes the result a pipeline. */
  public List<SmallFile> last() {
    if (choice.mode() != BaseChoice.Mode.COPY || !base.isPipeline()) {
      return List.of();
    }
    byte[] content =
        base.files().containsKey(BaseFolder.MODEL_INDEX)
            ? content(BaseFolder.MODEL_INDEX)
            : ModelIndex.generate(base, choice.pipeline());
    return List.of(new SmallFile(BaseFolder.MODEL_INDEX, content));
  }

  private byte[] content(String path) {
    return read.computeIfAbsent(path, base::content);
  }

  /** What a manifest keeps of the base. */
  public BaseUsed used() {
    List<BaseUsed.BaseFile> files = new ArrayList<>();
    base.files()
        .forEach(
            (path, file) -> {
              byte[] content = read.get(path);
              String crc =
                  content == null
                      ? ""
                      : Checksum.hex(Checksum.CRC_32C.of(content, 0, content.length));
              files.add(new BaseUsed.BaseFile(path, file.length(), file.modified(), crc));
            });
    return new BaseUsed(
        base.address().uri(),
        choice.mode().name().toLowerCase(Locale.ROOT),
        component.folder(),
        choice.variant().orElse(""),
        choice.pipeline().orElse(""),
        files);
  }
}
