package dev.reweave.checkpoint.deepspeed;

import dev.reweave.checkpoint.TensorEntries;
import dev.reweave.common.ReweaveException;
import dev.reweave.format.pytorch.TorchTensor;
import dev.reweave.format.pytorch.TorchValue;
import dev.reweave.tensor.Shape;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * What the pickle of a {@code *_model_states.pt} says, before any tensor of it is located.
 *
 * @param step as of {@link ModelStates.Run}
 * @param groups as of {@link ModelStates}
 * @param module tensors of the module, by name
 * @param buffers names of buffers
 * @param noTensors names of what is no tensor in the module, but for extra state
 * @param frozen shapes of parameters that were not trained
 * @param fragments the tensors that hold them, with their names
 * @param unread as of {@link ModelStates}
 */
record ModelPickle(
    long step,
    List<Map<String, Shape>> groups,
    Map<String, TorchTensor> module,
    Set<String> buffers,
    List<String> noTensors,
    Map<String, Shape> frozen,
    List<Map.Entry<String, TorchTensor>> fragments,
    Map<String, ReweaveException> unread) {

  static ModelPickle of(TorchValue root) {
    List<Map<String, Shape>> groups = groups(root);
    Set<String> trained = new HashSet<>();
    groups.forEach(g -> trained.addAll(g.keySet()));
    Set<String> buffers = names(root, "buffer_names");
    Map<String, Shape> frozen = shapes(root.find("frozen_param_shapes"));
    Set<String> elsewhere = new HashSet<>(trained);
    elsewhere.addAll(buffers);
    elsewhere.addAll(frozen.keySet());
    shared(root).forEach((alias, name) -> elsewhere.addAll(List.of(alias, name)));
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
                if (trained.contains(name) || buffers.contains(name) || frozen.containsKey(name)) {
                  unread.put(name, TensorEntries.unread(name, value));
                } else if (!TensorEntries.isExtraState(name)) {
                  noTensors.add(name);
                }
              });
    }
    requireSameSizes(groups, tensors, root.place());
    return new ModelPickle(
        step(root), groups, tensors, buffers, noTensors, frozen, fragments(root, unread), unread);
  }

  /** The training step that was saved; -1 if the file does not say. */
  static long step(TorchValue root) {
    return root.find("global_steps")
        .filter(TorchValue::isInteger)
        .map(TorchValue::integer)
        .orElse(-1L);
  }

  /** Tied names: alias to the name that has the parameter. */
  static Map<String, String> shared(TorchValue root) {
    Map<String, String> texts = new LinkedHashMap<>();
    root.find("shared_params")
        .ifPresent(d -> d.entries().forEach(e -> texts.put(e.getKey(), e.getValue().text())));
    return texts;
  }

  /** What must be the same in the files of all ranks. */
  FrozenPieces.Fingerprint fingerprint() {
    return FrozenPieces.Fingerprint.of(
        step, groups, frozen, fragments.stream().map(Map.Entry::getKey).toList());
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
   * The tensors of frozen parameters.
   *
   * @param unread gets those that cannot be read, and loses those that can
   */
  private static List<Map.Entry<String, TorchTensor>> fragments(
      TorchValue root, Map<String, ReweaveException> unread) {
    List<Map.Entry<String, TorchTensor>> fragments = new ArrayList<>();
    Optional<TorchValue> dict = root.find("frozen_param_fragments");
    if (dict.isPresent()) {
      for (Map.Entry<String, TorchValue> e : dict.get().entries()) {
        if (e.getValue().isUnknownObject()) {
          unread.put(e.getKey(), TensorEntries.unread(e.getKey(), e.getValue()));
        } else {
          fragments.add(Map.entry(e.getKey(), e.getValue().tensor()));
          unread.remove(e.getKey());
        }
      }
    }
    return fragments;
  }

  private static Set<String> names(TorchValue root, String key) {
    Set<String> names = new HashSet<>();
    root.find(key).ifPresent(list -> list.items().forEach(item -> names.add(item.text())));
    return names;
  }

  /** Names whose tensor is the same view as an earlier name's, with that name. */
  Map<String, String> sameViews() {
    Map<TorchTensor, String> first = new HashMap<>();
    Map<String, String> same = new LinkedHashMap<>();
    for (Map.Entry<String, TorchTensor> e : module.entrySet()) {
      if (e.getValue().elements() > 0) {
        String earlier = first.putIfAbsent(e.getValue(), e.getKey());
        if (earlier != null) {
          same.put(e.getKey(), earlier);
        }
      }
    }
    return same;
  }
}
