package dev.reweave.checkpoint.deepspeed;

import dev.reweave.checkpoint.TensorEntries;
import dev.reweave.common.ReweaveException;
import dev.reweave.format.pytorch.TorchFile;
import dev.reweave.format.pytorch.TorchTensor;
import dev.reweave.format.pytorch.TorchValue;
import dev.reweave.tensor.NamedTensor;
import dev.reweave.tensor.Shape;
import java.io.IOException;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;

/**
 * What a conversion needs of one {@code *_model_states.pt} (written by {@code
 * DeepSpeedEngine._save_checkpoint}).
 *
 * @param groups shapes of the trained parameters, per optimizer group, in flat group order; empty
 *     if the file has none
 * @param frozen parameters that were not trained
 * @param shared tied names: alias to the name that has the parameter
 * @param unread why tensors of {@code module}, or fragments, cannot be read, by name
 */
record ModelStates(
    Run run,
    List<Map<String, Shape>> groups,
    ModuleTensors module,
    FrozenParameters frozen,
    Map<String, String> shared,
    Map<String, ReweaveException> unread)
    implements RankFacts {

  /**
   * The run that saved the file.
   *
   * @param version DeepSpeed's, or empty
   * @param step the training step that was saved; -1 if the file does not say
   * @param setup how it was trained
   * @param parallel how many tensor- and pipeline-parallel ranks there were
   * @param info what tells how tensor-parallel ranks share tensors
   * @param experts what is said of experts
   */
  record Run(
      String version,
      long step,
      TrainingSetup setup,
      ParallelDegrees parallel,
      UniversalInfo info,
      Experts experts)
      implements Serializable {
    private static Run of(TorchValue root) {
      return new Run(
          root.find("ds_version").filter(TorchValue::isText).map(TorchValue::text).orElse(""),
          root.find("global_steps")
              .filter(TorchValue::isInteger)
              .map(TorchValue::integer)
              .orElse(-1L),
          TrainingSetup.of(root),
          ParallelDegrees.of(root),
          UniversalInfo.of(root),
          Experts.of(root));
    }
  }

  /**
   * Parameters that were not trained.
   *
   * @param shapes by name, in order
   * @param fragments the tensors that hold them, whole (ZeRO-2) or a piece each (ZeRO-3)
   */
  record FrozenParameters(Map<String, Shape> shapes, List<NamedTensor> fragments)
      implements Serializable {}

  /** Which tensors of {@code module} are wanted, and so located. */
  enum Wanted {
    /** All: they are what is converted. */
    ALL,
    /**
     * Those that no optimizer group holds: buffers, frozen parameters under ZeRO-1, and parameters
     * without elements.
     */
    UNTRAINED,
    /** The same under ZeRO-3, which leaves a placeholder without elements for each parameter. */
    UNTRAINED_OF_PARTITIONED,
    /** None: another rank's file has the same. */
    SHAPES;

    static Wanted untrained(boolean partitioned) {
      return partitioned ? UNTRAINED_OF_PARTITIONED : UNTRAINED;
    }
  }

  static ModelStates read(TorchFile file, Wanted wanted) throws IOException {
    TorchValue root = file.root();
    List<Map<String, Shape>> groups = groups(root);
    Set<String> trained = new HashSet<>();
    groups.forEach(g -> trained.addAll(g.keySet()));
    Set<String> buffers = names(root, "buffer_names");
    Map<String, Shape> frozenShapes = shapes(root.find("frozen_param_shapes"));
    Set<String> elsewhere = new HashSet<>(trained);
    elsewhere.addAll(buffers);
    elsewhere.addAll(frozenShapes.keySet());
    texts(root, "shared_params").forEach((alias, name) -> elsewhere.addAll(List.of(alias, name)));
    Optional<TensorEntries> entries =
        root.find("module")
            .map(TensorEntries::ofModule)
            .map(module -> ModuleNames.alike(module, elsewhere));
    Map<String, TorchTensor> tensors = entries.map(TensorEntries::tensors).orElse(Map.of());
    Map<String, ReweaveException> unread = new LinkedHashMap<>();
    List<String> noTensors = new ArrayList<>();
    if (entries.isPresent()) {
      unread.putAll(entries.get().unread());
      entries
          .get()
          .others()
          .forEach(
              (name, value) -> {
                if (trained.contains(name)
                    || buffers.contains(name)
                    || frozenShapes.containsKey(name)) {
                  unread.put(name, TensorEntries.unread(name, value));
                } else if (!TensorEntries.isExtraState(name)) {
                  noTensors.add(name);
                }
              });
    }
    requireSameSizes(groups, tensors, root.place());
    List<NamedTensor> module = new ArrayList<>();
    for (Map.Entry<String, TorchTensor> e : tensors.entrySet()) {
      boolean placeholder =
          wanted == Wanted.UNTRAINED_OF_PARTITIONED
              && e.getValue().elements() == 0
              && !buffers.contains(e.getKey());
      boolean untrained = !trained.contains(e.getKey()) && !placeholder;
      if (wanted == Wanted.ALL || (wanted != Wanted.SHAPES && untrained)) {
        module.add(file.locate(e.getKey(), e.getValue()));
      }
    }
    return new ModelStates(
        Run.of(root),
        groups,
        new ModuleTensors(
            List.copyOf(tensors.keySet()), module, sameViews(tensors), buffers, noTensors),
        new FrozenParameters(frozenShapes, fragments(file, unread)),
        shared(root, wanted, tensors),
        unread);
  }

  /** The names of all that the file has, or says where it is. */
  Set<String> names() {
    Set<String> names = new HashSet<>(module.names());
    names.addAll(frozen.shapes().keySet());
    names.addAll(shared.keySet());
    return names;
  }

  /** All trained parameters with their shapes, group after group. */
  Map<String, Shape> trained() {
    Map<String, Shape> all = new LinkedHashMap<>();
    groups.forEach(all::putAll);
    return all;
  }

  /** The same with groups that another file tells. */
  ModelStates withGroups(List<Map<String, Shape>> others) {
    Set<String> names = new HashSet<>();
    others.forEach(g -> names.addAll(g.keySet()));
    return new ModelStates(run, others, module.without(names), frozen, shared, unread);
  }

  /**
   * Refuses what cannot be read.
   *
   * @param wanted says of a name whether its tensor is needed
   * @throws ReweaveException for the first that is
   */
  void requireRead(Predicate<String> wanted) {
    for (Map.Entry<String, ReweaveException> entry : unread.entrySet()) {
      if (wanted.test(entry.getKey())) {
        throw entry.getValue();
      }
    }
  }

  /** What must be the same in the files of all ranks. */
  FrozenPieces.Fingerprint fingerprint() {
    // Of lists, as the order tells what lies where; pieces of other ranks go by it alone.
    List<?> ordered = groups.stream().map(g -> List.copyOf(g.entrySet())).toList();
    List<?> pieces = frozen.fragments().stream().map(NamedTensor::name).toList();
    return new FrozenPieces.Fingerprint(
        run.step(), Objects.hash(ordered, List.copyOf(frozen.shapes().entrySet()), pieces));
  }

  /** {@code param_shapes} is a list of dicts, one per group; a lone dict in old versions. */
  static List<Map<String, Shape>> groups(TorchValue root) {
    Optional<TorchValue> shapes = root.find("param_shapes");
    if (shapes.isEmpty()) {
      return List.of();
    }
    List<Map<String, Shape>> groups = new ArrayList<>();
    List<TorchValue> dicts = shapes.get().isDict() ? List.of(shapes.get()) : shapes.get().items();
    for (TorchValue group : dicts) {
      groups.add(shapes(Optional.of(group)));
    }
    requireOnce(groups, shapes.get().place());
    requireCountable(groups, shapes.get().place());
    return groups;
  }

  /** Padding would hide it if a parameter were said to be shorter than it is. */
  private static void requireSameSizes(
      List<Map<String, Shape>> groups, Map<String, TorchTensor> module, String place) {
    for (Map<String, Shape> group : groups) {
      for (Map.Entry<String, Shape> parameter : group.entrySet()) {
        TorchTensor tensor = module.get(parameter.getKey());
        // Under ZeRO-3 the module has none or one of a parameter's elements.
        if (tensor != null
            && tensor.elements() > 1
            && tensor.elements() != parameter.getValue().elements()) {
          throw PartitionFailures.shapeInModule(
              parameter.getKey(), parameter.getValue(), tensor.shape(), place);
        }
      }
    }
  }

  private static void requireOnce(List<Map<String, Shape>> groups, String place) {
    Set<String> names = new HashSet<>();
    for (Map<String, Shape> group : groups) {
      for (String name : group.keySet()) {
        if (!names.add(name)) {
          throw PartitionFailures.inTwoGroups(name, place);
        }
      }
    }
  }

  /** Offsets in the flat partitions are sums of lengths: what follows relies on there being one. */
  private static void requireCountable(List<Map<String, Shape>> groups, String place) {
    long left = Long.MAX_VALUE;
    for (Map<String, Shape> group : groups) {
      for (Shape shape : group.values()) {
        left -= shape.elements();
        if (left < 0) {
          throw PartitionFailures.tooLarge(place);
        }
      }
    }
  }

  private static Map<String, Shape> shapes(Optional<TorchValue> dict) {
    Map<String, Shape> shapes = new LinkedHashMap<>();
    dict.ifPresent(d -> d.entries().forEach(e -> shapes.put(e.getKey(), e.getValue().shape())));
    return shapes;
  }

  /**
   * @param unread gets those that cannot be read, and loses those that can
   */
  private static List<NamedTensor> fragments(TorchFile file, Map<String, ReweaveException> unread)
      throws IOException {
    List<NamedTensor> fragments = new ArrayList<>();
    Optional<TorchValue> dict = file.root().find("frozen_param_fragments");
    if (dict.isPresent()) {
      for (Map.Entry<String, TorchValue> e : dict.get().entries()) {
        if (e.getValue().isUnknownObject()) {
          unread.put(e.getKey(), TensorEntries.unread(e.getKey(), e.getValue()));
        } else {
          fragments.add(file.locate(e.getKey(), e.getValue().tensor()));
          unread.remove(e.getKey());
        }
      }
    }
    return fragments;
  }

  private static Map<String, String> sameViews(Map<String, TorchTensor> tensors) {
    Map<TorchTensor, String> first = new HashMap<>();
    Map<String, String> same = new LinkedHashMap<>();
    for (Map.Entry<String, TorchTensor> e : tensors.entrySet()) {
      if (e.getValue().elements() > 0) {
        String earlier = first.putIfAbsent(e.getValue(), e.getKey());
        if (earlier != null) {
          same.put(e.getKey(), earlier);
        }
      }
    }
    return same;
  }

  /**
   * DeepSpeed tells tied parameters by their addresses in memory, and outside ZeRO-3 all that have
   * no elements are at address 0 ({@code DeepSpeedEngine._get_shared_params}).
   */
  private static Map<String, String> shared(
      TorchValue root, Wanted wanted, Map<String, TorchTensor> tensors) {
    Map<String, String> shared = texts(root, "shared_params");
    if (wanted != Wanted.UNTRAINED_OF_PARTITIONED) {
      shared.keySet().removeIf(n -> tensors.containsKey(n) && tensors.get(n).elements() == 0);
    }
    return shared;
  }

  private static Set<String> names(TorchValue root, String key) {
    Set<String> names = new HashSet<>();
    root.find(key).ifPresent(list -> list.items().forEach(item -> names.add(item.text())));
    return names;
  }

  private static Map<String, String> texts(TorchValue root, String key) {
    Map<String, String> texts = new LinkedHashMap<>();
    root.find(key)
        .ifPresent(d -> d.entries().forEach(e -> texts.put(e.getKey(), e.getValue().text())));
    return texts;
  }
}
