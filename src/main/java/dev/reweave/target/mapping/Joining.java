package dev.reweave.target.mapping;

import dev.reweave.tensor.NamedTensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Tensors that follow each other along a dimension of the whole, or their groups do. */
final class Joining implements Assembly {
  private final String target;
  private final Rule rule;
  private final Action.Join join;
  private final long groups;
  private final Map<String, NamedTensor> parts = new LinkedHashMap<>();

  /**
   * @param groups of each part; 1 where the parts are whole
   */
  Joining(String target, Rule rule, Action.Join join, long groups) {
    this.target = target;
    this.rule = rule;
    this.join = join;
    this.groups = groups;
  }

  @Override
  public String target() {
    return target;
  }

  @Override
  public void add(NameMatch match, NamedTensor tensor) {
    String part = join.part().expand(match);
    if (!join.order().contains(part)) {
      throw MappingFailures.unknownPart(tensor.name(), part, target, join.order(), rule);
    }
    NamedTensor other = parts.putIfAbsent(part, tensor);
    if (other != null) {
      throw MappingFailures.samePart(tensor.name(), other.name(), part, target, rule);
    }
    NamedTensor first = parts.values().iterator().next();
    if (first.spec().dtype() != tensor.spec().dtype()) {
      throw MappingFailures.differentTypes(target, first, tensor, rule);
    }
    if (tensor.spec().shape().rank() > join.dim()
        && tensor.spec().shape().dim(join.dim()) % groups != 0) {
      throw MappingFailures.notInGroups(tensor, join.dim(), groups, rule);
    }
    if (!goTogether(first.spec().shape().dims(), tensor.spec().shape().dims())) {
      throw MappingFailures.unfitShapes(target, join.dim(), first, tensor, rule);
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

  @Override
  public List<String> missing() {
    List<String> missing = new ArrayList<>(join.order());
    missing.removeAll(parts.keySet());
    return missing;
  }

  @Override
  public NamedTensor tensor() {
    List<NamedTensor> inOrder = join.order().stream().map(parts::get).toList();
    return groups == 1
        ? NamedTensor.joined(target, join.dim(), inOrder)
        : Grouped.joined(target, join.dim(), groups, inOrder);
  }
}
