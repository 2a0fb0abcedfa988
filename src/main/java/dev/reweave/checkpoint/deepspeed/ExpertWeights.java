package dev.reweave.checkpoint.deepspeed;

import dev.reweave.checkpoint.ReadOptions.Frozen;
import dev.reweave.common.ReweaveException;
import dev.reweave.tensor.NamedTensor;
import dev.reweave.tensor.Shape;
import dev.reweave.tensor.TensorSpec;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** The experts of one tensor- and pipeline-parallel rank, as the files of experts hold them. */
final class ExpertWeights {
  private final Experts experts;
  private final Map<String, NamedTensor> tensors = new LinkedHashMap<>();
  private final Map<String, Integer> counts = new HashMap<>();

  /**
   * @param folder the checkpoint, for messages
   * @param modelRank whose experts they are
   * @param experts what the rank's model states say of them
   * @param files by layer and expert
   * @param states what they hold
   * @throws ReweaveException if experts are missing
   */
  ExpertWeights(
      String folder,
      int modelRank,
      Experts experts,
      List<ExpertFile> files,
      List<PlainStates> states) {
    this.experts = experts;
    requireAll(folder, modelRank, files);
    requireSameNames(files, states);
    Map<String, List<NamedTensor>> slices = new LinkedHashMap<>();
    for (int i = 0; i < files.size(); i++) {
      for (NamedTensor tensor : states.get(i).tensors()) {
        String stack = tensor.name().substring(0, Math.max(0, tensor.name().lastIndexOf('.')));
        if (experts.stackOf(stack).isPresent()) {
          requireNumber(tensor, files.get(i));
          slices.computeIfAbsent(stack, s -> new ArrayList<>()).add(slice(tensor));
        } else {
          take(tensor, files.get(i));
        }
      }
    }
    slices.forEach((name, parts) -> tensors.put(name, stack(name, parts, folder)));
  }

  /** Those of a model without experts. */
  static ExpertWeights none() {
    Experts experts = new Experts(List.of(), List.of(), false);
    return new ExpertWeights("", 0, experts, List.of(), List.of());
  }

  private void requireAll(String folder, int modelRank, List<ExpertFile> files) {
    Map<Integer, Set<Integer>> found = new HashMap<>();
    files.forEach(f -> found.computeIfAbsent(f.layer(), l -> new HashSet<>()).add(f.expert()));
    Set<Integer> layers = new LinkedHashSet<>(found.keySet());
    if (!found.containsKey(-1)) {
      for (int layer = 0; layer < experts.counts().size(); layer++) {
        layers.add(layer);
      }
    }
    experts.stacks().stream()
        .filter(Experts.Stack::partitioned)
        .forEach(s -> layers.remove(s.layer()));
    MissingFiles missing = new MissingFiles();
    for (int layer : layers) {
      Set<Integer> numbers = found.getOrDefault(layer, Set.of());
      long count = experts.isEmpty() ? 0 : experts.countOf(layer);
      if (numbers.stream().allMatch(n -> n < count)) {
        missing.addNumbered(
            layer < 0 ? "expert" : "layer of experts " + layer + ": expert",
            numbers,
            count,
            count + (count == 1 ? " expert" : " experts"),
            expert -> List.of(folder + "/" + ExpertFile.nameOf(layer, expert, modelRank)));
      } else {
        int other = numbers.stream().filter(n -> n >= count).findFirst().orElseThrow();
        throw ExpertFailures.foreignExpert(
            other, count, folder + "/" + ExpertFile.nameOf(layer, other, modelRank));
      }
    }
    missing.requireNone();
  }

  /** Experts of a layer are copies of one module: what one has, all have. */
  private static void requireSameNames(List<ExpertFile> files, List<PlainStates> states) {
    Map<Integer, Set<String>> byLayer = new HashMap<>();
    for (int i = 0; i < files.size(); i++) {
      ExpertFile file = files.get(i);
      Set<String> names = new LinkedHashSet<>();
      states.get(i).tensors().forEach(t -> names.add(withoutNumber(t.name())));
      Set<String> first = byLayer.putIfAbsent(file.layer(), names);
      if (first != null && !first.equals(names)) {
        throw ExpertFailures.otherTensors(file.expert(), file.file().uri());
      }
    }
  }

  /** The same for all experts: the number is in the middle of a name, or of stacked ones last. */
  private static String withoutNumber(String name) {
    return ExpertName.of(name)
        .map(n -> n.ofExpert(0))
        .orElseGet(() -> name.replaceFirst("\\.\\d+$", ""));
  }

  private static void requireNumber(NamedTensor slice, ExpertFile file) {
    if (!slice.name().endsWith("." + file.expert())) {
      throw foreign(slice, file);
    }
  }

  private void take(NamedTensor tensor, ExpertFile file) {
    ExpertName name =
        ExpertName.of(tensor.name())
            .filter(n -> n.number() == file.expert())
            .orElseThrow(() -> foreign(tensor, file));
    counts.merge(name.before(), file.expert() + 1, Math::max);
    tensors.put(tensor.name(), tensor);
  }

  private static ReweaveException foreign(NamedTensor tensor, ExpertFile file) {
    return ExpertFailures.foreignTensor(file.expert(), tensor.name(), file.file().uri());
  }

  private static NamedTensor slice(NamedTensor tensor) {
    long[] dims = tensor.spec().shape().dims();
    long[] stacked = new long[dims.length + 1];
    stacked[0] = 1;
    System.arraycopy(dims, 0, stacked, 1, dims.length);
    return new NamedTensor(
        new TensorSpec(tensor.name(), tensor.spec().dtype(), Shape.of(stacked)), tensor.layout());
  }

  private NamedTensor stack(String name, List<NamedTensor> slices, String folder) {
    long count = experts.stackOf(name).orElseThrow().experts();
    if (slices.size() != count) {
      throw ExpertFailures.otherCountInFiles(name, count, slices.size(), folder);
    }
    try {
      return NamedTensor.joined(name, 0, slices);
    } catch (IllegalArgumentException e) {
      throw ExpertFailures.doNotFit(folder, e);
    }
  }

  boolean isEmpty() {
    return experts.isEmpty();
  }

  Experts experts() {
    return experts;
  }

  /**
   * Number of experts in files of a layer, by {@link ExpertName#before}; empty if there is none.
   */
  Optional<Integer> countOf(String before) {
    return Optional.ofNullable(counts.get(before));
  }

  /**
   * Adds what a state dict lacks: all experts of a module, or of masters those parts that were not
   * trained and so have none.
   *
   * @param states the rank's model states, which list local names: those of the first experts
   */
  void complete(StateDict dict, ModelStates states, Frozen frozen) {
    Set<String> trained = alike(states.trained().keySet());
    Set<String> buffers = alike(states.module().buffers());
    int excluded = 0;
    int untrained = 0;
    for (NamedTensor tensor : tensors.values()) {
      if (dict.hasTensor(tensor.name())) {
        continue;
      }
      String name = alike(tensor.name());
      boolean parameter = !buffers.contains(name);
      if (parameter && !trained.contains(name) && frozen == Frozen.EXCLUDE) {
        excluded++;
        continue;
      }
      untrained += parameter && !trained.contains(name) ? 1 : 0;
      dict.add(tensor);
    }
    if (excluded > 0) {
      dict.note(excluded + " frozen parameters of experts left out");
    } else if (untrained > 0 && !trained.isEmpty()) {
      dict.note(untrained + " frozen parameters of experts taken as stored");
    }
  }

  /** Experts are copies of one module: what is trained in one is trained in all. */
  private static String alike(String name) {
    return ExpertName.of(name).map(n -> n.ofExpert(0)).orElse(name);
  }

  private static Set<String> alike(Set<String> names) {
    Set<String> alike = new HashSet<>();
    names.forEach(n -> alike.add(alike(n)));
    return alike;
  }
}
