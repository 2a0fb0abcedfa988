package dev.reweave.checkpoint.quantized;

import dev.reweave.checkpoint.Checkpoint;
import dev.reweave.common.Counted;
import dev.reweave.common.FirstNames;
import dev.reweave.common.ReweaveException;
import dev.reweave.storage.InputFile;
import dev.reweave.storage.Stores;
import dev.reweave.tensor.DType;
import dev.reweave.tensor.NamedTensor;
import dev.reweave.tensor.TensorSpec;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableSet;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * How the weights among some tensors are quantized. Weights of floating point of 8 bits with scales
 * are understood: {@link Dequantization} gives what they stand for. Others are named.
 */
public final class Quantization {
  private static final Set<DType> OF_SCALES =
      Set.of(DType.F32, DType.F16, DType.BF16, DType.F64, DType.F8_E8M0, DType.U8);

  private static final String ORPHANED = "scales of a weight that is not here";

  private final Map<String, TensorSpec> tensors;
  private final Optional<QuantizationConfig> config;
  private final Map<String, Scaled> scaled = new TreeMap<>();
  private final Set<String> beside = new TreeSet<>();
  private final List<String> unscaled = new ArrayList<>();
  private final Map<String, String> foreign;

  /**
   * The scale of a weight.
   *
   * @param name of the scale
   * @param type in which it is to be read
   * @param blocks lengths of a block in elements, for each dimension of the weight
   */
  record Scaled(String name, DType type, List<Long> blocks) {}

  /**
   * @param tied names of tensors that are among the others under another name
   */
  private Quantization(
      Map<String, TensorSpec> tensors, Set<String> tied, Optional<QuantizationConfig> config) {
    this.tensors = tensors;
    this.config = config;
    this.foreign = new ForeignWeights(tensors).find();
    tensors.values().stream().filter(Quantization::canBeScaled).forEach(this::add);
    boolean any = !scaled.isEmpty();
    tensors.keySet().stream()
        .filter(n -> ScaleNames.isMarker(n) || (any && isScaleOfCache(n)))
        .forEach(beside::add);
    tied.stream()
        .flatMap(name -> ScaleNames.ofWeight(name).stream())
        .filter(tensors::containsKey)
        .forEach(beside::add);
    findOrphans();
    findForgotten();
  }

  /**
   * The quantization of a checkpoint's weights, told by their names, types and shapes, and by the
   * {@code config.json} beside them where one is needed.
   *
   * @param stores guarded, if they are to be
   * @throws ReweaveException if the store fails
   */
  public static Quantization of(Stores stores, Checkpoint checkpoint) {
    Map<String, TensorSpec> tensors = new LinkedHashMap<>();
    checkpoint.tensors().forEach(t -> tensors.put(t.name(), t.spec()));
    checkpoint
        .aliases()
        .forEach(
            (alias, kept) -> {
              if (ScaleNames.mayBeScale(alias) && tensors.containsKey(kept)) {
                TensorSpec spec = tensors.get(kept);
                tensors.putIfAbsent(alias, new TensorSpec(alias, spec.dtype(), spec.shape()));
              }
            });
    return checkpoint.files().isEmpty()
        ? new Quantization(tensors, checkpoint.aliases().keySet(), Optional.empty())
        : of(stores, checkpoint.files().get(0), tensors, checkpoint.aliases().keySet());
  }

  /**
   * The same of the tensors of a model's files.
   *
   * @param file one of them, with the config in its folder
   */
  public static Quantization of(Stores stores, InputFile file, Collection<TensorSpec> tensors) {
    return of(stores, file, byName(tensors), Set.of());
  }

  /** The same of tensors without a config. */
  public static Quantization of(Collection<TensorSpec> tensors) {
    return new Quantization(byName(tensors), Set.of(), Optional.empty());
  }

  private static Quantization of(
      Stores stores, InputFile file, Map<String, TensorSpec> tensors, Set<String> tied) {
    Quantization told = new Quantization(tensors, tied, Optional.empty());
    if (told.isNone()) {
      return told;
    }
    try {
      return QuantizationConfig.beside(stores, file)
          .map(config -> new Quantization(tensors, tied, Optional.of(config)))
          .orElse(told);
    } catch (ReweaveException e) {
      if (e.kind() != ReweaveException.Kind.DAMAGED_INPUT) {
        throw e;
      }
      // What it says is not needed to keep weights as they are.
      told.foreign.put(e.place(), e.problem());
      return told;
    }
  }

  private static Map<String, TensorSpec> byName(Collection<TensorSpec> tensors) {
    Map<String, TensorSpec> byName = new LinkedHashMap<>();
    tensors.forEach(t -> byName.put(t.name(), t));
    return byName;
  }

  /** Numbers of 8 bits that are no scales themselves: those have no sign. */
  private static boolean canBeScaled(TensorSpec tensor) {
    return tensor.dtype().isFloat8()
        && tensor.dtype() != DType.F8_E8M0
        && !ScaleNames.isMarker(tensor.name())
        && !ScaleNames.isScale(tensor.name());
  }

  private void add(TensorSpec weight) {
    String name = weight.name();
    List<String> scales = ScaleNames.ofWeight(name).stream().filter(tensors::containsKey).toList();
    if (scales.isEmpty()) {
      unscaled.add(name);
      return;
    }
    String kind = weight.dtype().torchName() + " with ";
    List<String> beyond = ScaleNames.beyond(name).stream().filter(tensors::containsKey).toList();
    if (!beyond.isEmpty()) {
      foreign.put(name, kind + ScaleNames.lastPart(beyond.get(0)));
      return;
    }
    if (scales.size() > 1) {
      foreign.put(name, kind + "several scales: " + String.join(", ", scales));
      return;
    }
    TensorSpec scale = tensors.get(scales.get(0));
    DType type = scale.dtype() == DType.U8 ? DType.F8_E8M0 : scale.dtype();
    boolean tiled = type == DType.F8_E8M0 && tensors.containsKey(ScaleNames.comfy(name));
    Optional<List<Long>> blocks =
        tiled || !OF_SCALES.contains(scale.dtype())
            ? Optional.empty()
            : ScaleGrid.blocks(
                weight.shape(),
                scale.shape(),
                config.map(QuantizationConfig::block).orElse(List.of()));
    if (blocks.isEmpty()) {
      foreign.put(
          name,
          kind
              + scale.dtype().torchName()
              + " scales "
              + scale.shape()
              + " for "
              + weight.shape()
              + (tiled ? ", in tiles of ComfyUI" : ""));
      return;
    }
    scaled.put(name, new Scaled(scale.name(), type, blocks.get()));
    ScaleNames.beside(name).stream().filter(tensors::containsKey).forEach(beside::add);
  }

  private boolean isScaleOfCache(String name) {
    TensorSpec tensor = tensors.get(name);
    return ScaleNames.isOfCache(name) && tensor.elements() == 1 && tensor.dtype().isCastable();
  }

  /** Scales whose weight is in another file that was not read. */
  private void findOrphans() {
    Set<String> used = scaled.values().stream().map(Scaled::name).collect(Collectors.toSet());
    Set<String> known = new TreeSet<>(used);
    known.addAll(beside);
    tensors
        .keySet()
        .forEach(name -> known.addAll(ScaleNames.ofWeight(ScaleNames.withoutPacking(name))));
    tensors.values().stream()
        .filter(t -> ScaleNames.isScale(t.name()) && !known.contains(t.name()))
        .forEach(t -> foreign.put(t.name(), ORPHANED));
  }

  private boolean hasOrphans() {
    return foreign.containsValue(ORPHANED);
  }

  /**
   * Weights without scales, where the config, others or what lies beside say that they need them.
   */
  private void findForgotten() {
    boolean needed = hasOrphans() || config.isPresent();
    NavigableSet<String> names = new TreeSet<>(unscaled.isEmpty() ? Set.of() : tensors.keySet());
    for (String name : unscaled) {
      String type = tensors.get(name).dtype().torchName();
      ScaleNames.unknownOf(name, names)
          .map(scale -> type + " with " + ScaleNames.lastPart(scale))
          .or(() -> Optional.of(type + " without its scales").filter(t -> needed))
          .ifPresent(kind -> foreign.put(name, kind));
    }
  }

  /** Whether there is nothing that needs more than a cast. */
  public boolean isNone() {
    return scaled.isEmpty() && beside.isEmpty() && unscaled.isEmpty() && foreign.isEmpty();
  }

  /** Whether weights have scales, or are codes of a kind that is not known. */
  public boolean isQuantized() {
    return !scaled.isEmpty() || !foreign.isEmpty();
  }

  /** Whether weights have scales, and nothing more is needed to tell what they stand for. */
  public boolean isUnderstood() {
    return !scaled.isEmpty() && foreign.isEmpty();
  }

  /** Names of scales and of what else goes when weights are dequantized. */
  public Set<String> leftOut() {
    Set<String> names = new TreeSet<>(beside);
    scaled.values().forEach(s -> names.add(s.name()));
    return names;
  }

  Map<String, Scaled> scaled() {
    return scaled;
  }

  Set<String> beside() {
    return beside;
  }

  /** The config that was needed; empty if there is none. */
  Optional<InputFile> configFile() {
    return config.map(QuantizationConfig::file);
  }

  List<String> unscaled() {
    return unscaled;
  }

  /**
   * Refuses weights that are quantized in a way that is not known.
   *
   * @param place where they are, for messages
   * @throws ReweaveException if there are any
   */
  public void require(String place) {
    if (!foreign.isEmpty()) {
      throw hasOrphans()
          ? QuantizationFailures.withoutScales(kinds(), place)
          : QuantizationFailures.notUndone(kinds(), place);
    }
  }

  private String kinds() {
    Map<String, List<String>> byKind = new TreeMap<>();
    foreign.forEach((name, kind) -> byKind.computeIfAbsent(kind, k -> new ArrayList<>()).add(name));
    String kinds =
        byKind.entrySet().stream()
            .limit(3)
            .map(e -> e.getKey() + " (" + FirstNames.of(e.getValue()) + ")")
            .collect(Collectors.joining("; "));
    return method().map(m -> "quantization_config says " + m + "; ").orElse("")
        + kinds
        + (byKind.size() > 3 ? "; …" : "");
  }

  private Optional<String> method() {
    return config.map(QuantizationConfig::method).filter(m -> !m.isEmpty());
  }

  /** What should be known of weights that keep their quantization. */
  public List<String> notes() {
    List<String> notes = new ArrayList<>();
    if (!scaled.isEmpty()) {
      notes.add(
          "quantized: "
              + weights()
              + "; --dtype bfloat16 dequantizes, --dtype keep keeps both as they are");
    }
    if (!foreign.isEmpty()) {
      notes.add("quantized: " + kinds() + "; --dtype keep keeps them as they are, no other does");
    }
    return notes;
  }

  /** How many weights of which types have scales of what. */
  String weights() {
    Map<String, Integer> types = new TreeMap<>();
    Set<String> grids = new TreeSet<>();
    scaled.forEach(
        (name, scale) -> {
          types.merge(tensors.get(name).dtype().torchName(), 1, Integer::sum);
          grids.add(grid(tensors.get(name), scale));
        });
    return types.entrySet().stream()
            .map(e -> Counted.of(e.getValue(), "weight") + " of " + e.getKey())
            .collect(Collectors.joining(", "))
        + " with scales "
        + grids.stream().limit(3).collect(Collectors.joining(", "))
        + " ("
        + Stream.of(scaled.values())
            .flatMap(Collection::stream)
            .map(s -> ScaleNames.lastPart(s.name()))
            .distinct()
            .sorted()
            .limit(3)
            .collect(Collectors.joining(", "))
        + ")";
  }

  private static String grid(TensorSpec weight, Scaled scale) {
    List<Long> blocks = scale.blocks();
    boolean whole = true;
    boolean rows = !blocks.isEmpty();
    for (int i = 0; i < blocks.size(); i++) {
      whole &= blocks.get(i) >= weight.shape().dim(i);
      rows &= i == 0 ? blocks.get(i) == 1 : blocks.get(i) >= weight.shape().dim(i);
    }
    return whole
        ? "of the tensor"
        : rows
            ? "of each channel"
            : "in blocks of "
                + blocks.stream().map(String::valueOf).collect(Collectors.joining("x"));
  }

  /** The tensors by name, tied names of scales as well. */
  static Map<String, NamedTensor> byName(Checkpoint checkpoint) {
    Map<String, NamedTensor> all = new HashMap<>();
    checkpoint.tensors().forEach(t -> all.put(t.name(), t));
    checkpoint.aliases().forEach((alias, kept) -> all.putIfAbsent(alias, all.get(kept)));
    return all;
  }
}
