package dev.reweave.mapping;

import dev.reweave.ReweaveException;
import dev.reweave.tensor.NamedTensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** One tensor that is put together from several, while they are found. */
final class Joining {
  private final String target;
  private final Rule rule;
  private final Action.Join join;
  private final Map<String, NamedTensor> parts = new LinkedHashMap<>();

  Joining(String target, Rule rule, Action.Join join) {
    this.target = target;
    this.rule = rule;
    this.join = join;
  }

  /** The name that the whole gets. */
  String target() {
    return target;
  }

  /**
   * Takes one part.
   *
   * @throws ReweaveException if it has no place in the whole, or another has its place
   */
  void add(String part, NamedTensor tensor) {
    if (!join.order().contains(part)) {
      throw problem(
          "tensor "
              + tensor.name()
              + " is part '"
              + part
              + "' of "
              + target
              + ", which has "
              + join.order());
    }
    NamedTensor other = parts.putIfAbsent(part, tensor);
    if (other != null) {
      throw problem(
          other.name() + " and " + tensor.name() + " are both part '" + part + "' of " + target);
    }
    NamedTensor first = parts.values().iterator().next();
    if (first.spec().dtype() != tensor.spec().dtype()) {
      throw unlike(first, tensor, "of different types");
    }
    if (!goTogether(first.spec().shape().dims(), tensor.spec().shape().dims())) {
      throw unlike(
          first, tensor, "of shapes that do not go together along dimension " + join.dim());
    }
  }

  private boolean goTogether(long[] a, long[] b) {
    if (a.length != b.length || join.dim() >= a.length) {
      return false;
    }
    for (int i = 0; i < a.length; i++) {
      if (i != join.dim() && a[i] != b[i]) {
        return false;
      }
    }
    return true;
  }

  private ReweaveException unlike(NamedTensor a, NamedTensor b, String problem) {
    return problem("parts of " + target + " are " + problem + ": " + shown(a) + ", " + shown(b));
  }

  private static String shown(NamedTensor tensor) {
    return tensor.name() + " " + tensor.spec().dtype() + " " + tensor.spec().shape();
  }

  private ReweaveException problem(String problem) {
    return ReweaveException.mismatch(problem, rule.place(), "correct the rule");
  }

  /** The parts that did not come. */
  List<String> missing() {
    List<String> missing = new ArrayList<>(join.order());
    missing.removeAll(parts.keySet());
    return missing;
  }

  /** The whole; only where nothing is {@link #missing()}. */
  NamedTensor tensor() {
    return NamedTensor.joined(target, join.dim(), join.order().stream().map(parts::get).toList());
  }
}
