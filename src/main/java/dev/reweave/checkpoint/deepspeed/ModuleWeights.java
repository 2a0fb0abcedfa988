package dev.reweave.checkpoint.deepspeed;

import dev.reweave.checkpoint.ReadOptions.Frozen;
import dev.reweave.common.FirstNames;
import dev.reweave.tensor.NamedTensor;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** The module's own weights, as {@code module.state_dict()} gave them to the first rank. */
final class ModuleWeights {
  private ModuleWeights() {}

  static StateDict assemble(ModelStates states, Frozen frozen, String place) {
    StateDict dict = new StateDict();
    Set<String> excluded = frozen == Frozen.EXCLUDE ? untrained(states, place) : Set.of();
    for (NamedTensor tensor : states.module().tensors()) {
      String same = states.module().sameView().get(tensor.name());
      if (excluded.contains(tensor.name())) {
        continue;
      }
      if (same != null && dict.has(same)) {
        dict.tie(tensor.name(), same);
      } else {
        dict.add(tensor);
      }
    }
    states.module().notes().forEach(dict::note);
    Set<String> trained = states.trained().keySet();
    boolean excludes = frozen == Frozen.EXCLUDE;
    states.requireRead(n -> !dict.has(n) && !(excludes && isUntrained(states, trained, n, n)));
    List<String> missing = trained.stream().filter(n -> isMissing(states, dict, n)).toList();
    if (!missing.isEmpty()) {
      dict.note(
          missing.size() + " trained parameters are not in the module: " + FirstNames.of(missing));
    }
    if (!excluded.isEmpty()) {
      dict.note(excluded.size() + " frozen parameters left out");
    }
    return dict;
  }

  /** Experts are in files of their own. */
  private static boolean isMissing(ModelStates states, StateDict dict, String name) {
    return !dict.has(name) && !states.run().experts().holds(name);
  }

  /** Parameters that no optimizer group holds; only a file with parameter shapes tells. */
  private static Set<String> untrained(ModelStates states, String place) {
    if (states.groups().isEmpty()) {
      throw ModuleFailures.frozenNotTold(place);
    }
    Set<String> trained = states.trained().keySet();
    Set<String> names = new HashSet<>();
    for (NamedTensor tensor : states.module().tensors()) {
      String same = states.module().sameView().getOrDefault(tensor.name(), tensor.name());
      if (isUntrained(states, trained, tensor.name(), same)) {
        names.add(tensor.name());
      }
    }
    return names;
  }

  /**
   * @param same an earlier name of the same tensor, or the name itself
   */
  private static boolean isUntrained(
      ModelStates states, Set<String> trained, String name, String same) {
    return !trained.contains(name)
        && !trained.contains(states.shared().getOrDefault(name, same))
        && !states.module().buffers().contains(name);
  }
}
