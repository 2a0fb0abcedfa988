package dev.reweave.checkpoint.deepspeed;

import dev.reweave.tensor.NamedTensor;
import dev.reweave.tensor.Shape;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * What stands before the names of one layer's tensors in the names of the pipeline's parameters.
 *
 * @param prefixes {@code 3.}, or {@code tied_modules.KEY.}; several where the layer may be any of
 *     several tied modules
 */
record LayerNames(List<String> prefixes) {
  private static final String TIED = "tied_modules.";

  /**
   * Finds the prefix: that of the layer's index, unless only a tied module has such parameters.
   *
   * @param tensors under the names in the layer
   * @param trained all parameters of the pipeline, as far as they are known
   */
  static LayerNames of(int layer, List<NamedTensor> tensors, Map<String, Shape> trained) {
    String own = layer + ".";
    if (trained.keySet().stream().anyMatch(name -> name.startsWith(own))) {
      return new LayerNames(List.of(own));
    }
    Set<String> fitting = new TreeSet<>();
    for (String name : trained.keySet()) {
      int dot = name.indexOf('.', TIED.length());
      if (name.startsWith(TIED) && dot > 0) {
        String prefix = name.substring(0, dot + 1);
        if (fits(prefix, tensors, trained)) {
          fitting.add(prefix);
        }
      }
    }
    return new LayerNames(fitting.isEmpty() ? List.of(own) : List.copyOf(fitting));
  }

  /** Whether the layer has all parameters under a prefix, in their shapes. */
  private static boolean fits(
      String prefix, List<NamedTensor> tensors, Map<String, Shape> trained) {
    long found =
        tensors.stream()
            .filter(t -> t.spec().shape().equals(trained.get(prefix + t.name())))
            .count();
    return found == trained.keySet().stream().filter(n -> n.startsWith(prefix)).count();
  }

  boolean isClear() {
    return prefixes.size() == 1;
  }

  String of(String name) {
    return prefixes.get(0) + name;
  }
}
