package dev.reweave.checkpoint.deepspeed;

import dev.reweave.tensor.NamedTensor;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Where experts stand in a state dict: those that the first rank has behind the rest of their
 * layer, as in its module, and behind all of that what the other ranks add, rank by rank.
 */
final class ExpertOrder {
  private final Experts experts;
  private final List<String> moduleNames;
  private final Map<String, Integer> perRank = new HashMap<>();

  /**
   * @param states the first rank's, whose module lacks the experts and whose parameter shapes have
   *     its own
   */
  ExpertOrder(Experts experts, ModelStates states) {
    this.experts = experts;
    this.moduleNames = states.module().names();
    for (String name : states.trained().keySet()) {
      ExpertName.of(name).ifPresent(n -> perRank.merge(n.before(), n.number() + 1, Math::max));
    }
  }

  void arrange(StateDict dict) {
    Map<String, List<String>> layers = new LinkedHashMap<>();
    for (NamedTensor tensor : dict.tensors()) {
      layerOf(tensor.name())
          .ifPresent(l -> layers.computeIfAbsent(l, k -> new ArrayList<>()).add(tensor.name()));
    }
    Map<Integer, List<String>> behind = new HashMap<>();
    List<String> added = new ArrayList<>();
    for (Map.Entry<String, List<String>> layer : layers.entrySet()) {
      int end = -1;
      for (int i = 0; i < moduleNames.size(); i++) {
        end = moduleNames.get(i).startsWith(layer.getKey()) ? i : end;
      }
      List<String> own = behind.computeIfAbsent(end, e -> new ArrayList<>());
      layer.getValue().stream()
          .sorted(Comparator.comparingInt(ExpertOrder::numberOf))
          .forEach(name -> (rankOf(name) == 0 ? own : added).add(name));
    }
    List<String> order = new ArrayList<>();
    for (int i = 0; i < moduleNames.size(); i++) {
      order.add(moduleNames.get(i));
      order.addAll(behind.getOrDefault(i, List.of()));
    }
    order.addAll(behind.getOrDefault(-1, List.of()));
    added.sort(Comparator.comparingInt(this::rankOf));
    order.addAll(added);
    dict.reorder(order);
  }

  /** What the names of a layer of experts begin with; empty for all that is no expert's. */
  private Optional<String> layerOf(String name) {
    return ExpertName.of(name)
        .map(ExpertName::layer)
        .or(() -> experts.stackOf(name).map(Experts.Stack::around));
  }

  private static int numberOf(String name) {
    return ExpertName.of(name).map(ExpertName::number).orElse(0);
  }

  /** The expert-parallel rank that an expert is of; 0 where nothing tells. */
  private int rankOf(String name) {
    return ExpertName.of(name)
        .map(n -> n.number() / perRank.getOrDefault(n.before(), Integer.MAX_VALUE))
        .orElse(0);
  }
}
