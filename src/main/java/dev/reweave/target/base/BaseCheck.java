package dev.reweave.target.base;

import dev.reweave.common.ReweaveException;
import dev.reweave.tensor.TensorSpec;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Compares the tensors of a result with those of a base's component, by name and shape, before a
 * byte is converted. Element types may differ.
 */
public final class BaseCheck {
  private final Component component;

  /** A check against {@code component}. */
  public BaseCheck(Component component) {
    this.component = component;
  }

  /**
   * Requires that the result has every tensor of the base, no others, and each in its shape.
   *
   * @param result its tensors
   * @param aliases tied names that the result does not write, each with the name of the tensor that
   *     stands for it; they count as present
   * @param place the checkpoint, for the message
   * @throws ReweaveException with all differences, and what they most likely come from
   */
  public void require(List<TensorSpec> result, Map<String, String> aliases, String place) {
    if (component.hasWeights()) {
      report(compare(result, aliases), place);
    }
  }

  /** The same for a result that is meant to hold a part of the tensors alone: none are missing. */
  public void requireSubset(List<TensorSpec> result, Map<String, String> aliases, String place) {
    if (component.hasWeights()) {
      report(compare(result, aliases).withoutMissing(), place);
    }
  }

  private Difference compare(List<TensorSpec> result, Map<String, String> aliases) {
    SortedMap<String, TensorSpec> present = new TreeMap<>();
    result.forEach(spec -> present.put(spec.name(), spec));
    Map<String, TensorSpec> expected = component.tensors();

    // A tied tensor is written under one of its names; the base may have chosen another.
    Map<String, TensorSpec> aliased = new TreeMap<>(present);
    Set<String> known = new HashSet<>(component.droppedNames().keySet());
    aliases.forEach(
        (alias, name) -> {
          if (present.containsKey(name)) {
            aliased.putIfAbsent(alias, present.get(name));
            if (expected.containsKey(alias)) {
              known.add(name);
            }
          }
        });
    component
        .droppedNames()
        .forEach(
            (dropped, name) -> {
              if (present.containsKey(dropped)) {
                aliased.putIfAbsent(name, present.get(dropped));
              }
            });

    List<TensorSpec> missing = new ArrayList<>();
    List<Difference.Pair> reshaped = new ArrayList<>();
    for (TensorSpec base : expected.values()) {
      TensorSpec own = aliased.get(base.name());
      if (own == null) {
        missing.add(base);
      } else if (!own.shape().equals(base.shape())) {
        reshaped.add(new Difference.Pair(base.name(), own.shape(), base.shape()));
      }
    }
    List<TensorSpec> unexpected =
        present.values().stream()
            .filter(spec -> !expected.containsKey(spec.name()) && !known.contains(spec.name()))
            .toList();
    return new Difference(
        Collections.unmodifiableSortedMap(present),
        new TreeMap<>(expected),
        missing,
        unexpected,
        reshaped);
  }

  private void report(Difference difference, String place) {
    if (difference.isNone()) {
      return;
    }
    List<String> hints = new DifferenceHints(difference).find();
    throw BaseFailures.unfit(difference, hints, component.address().uri(), place);
  }
}
