package dev.reweave.target.mapping;

import dev.reweave.tensor.NamedTensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.regex.Pattern;

/** Tensors of one shape under the indexes of a new dimension of the whole. */
final class Stacking implements Assembly {
  private static final Pattern NUMBER = Pattern.compile("0|[1-9][0-9]{0,8}");

  private final String target;
  private final Rule rule;
  private final Action.Stack stack;

  /** By number; those that are made of pieces are in {@link #joinings}. */
  private final SortedMap<Integer, NamedTensor> parts = new TreeMap<>();

  private final SortedMap<Integer, Joining> joinings = new TreeMap<>();

  Stacking(String target, Rule rule, Action.Stack stack) {
    this.target = target;
    this.rule = rule;
    this.stack = stack;
  }

  @Override
  public String target() {
    return target;
  }

  @Override
  public void add(NameMatch match, NamedTensor tensor) {
    String text = stack.index().expand(match);
    if (!NUMBER.matcher(text).matches()) {
      throw MappingFailures.notANumber(tensor.name(), text, target, rule);
    }
    int number = Integer.parseInt(text);
    if (stack.join().isPresent()) {
      joinings
          .computeIfAbsent(number, n -> new Joining(numbered(n), rule, stack.join().get(), 1))
          .add(match, tensor);
      return;
    }
    NamedTensor other = parts.putIfAbsent(number, tensor);
    if (other != null) {
      throw MappingFailures.sameNumber(tensor.name(), other.name(), number, target, rule);
    }
  }

  private String numbered(int number) {
    return "number " + number + " of " + target;
  }

  /** Numbers below the greatest one, and pieces of those that are there. */
  @Override
  public List<String> missing() {
    List<String> missing = new ArrayList<>();
    int next = 0;
    for (int number : stack.join().isPresent() ? joinings.keySet() : parts.keySet()) {
      if (number == next + 1) {
        missing.add("number " + next);
      } else if (number > next) {
        missing.add("numbers " + next + " to " + (number - 1));
      }
      next = number + 1;
    }
    for (Map.Entry<Integer, Joining> joining : joinings.entrySet()) {
      joining.getValue().missing().forEach(p -> missing.add(p + " of number " + joining.getKey()));
    }
    return missing;
  }

  @Override
  public NamedTensor tensor() {
    List<NamedTensor> whole =
        stack.join().isPresent()
            ? joinings.values().stream().map(Joining::tensor).toList()
            : List.copyOf(parts.values());
    NamedTensor first = whole.get(0);
    if (stack.dim() > first.spec().shape().rank()) {
      throw MappingFailures.notStackable(target, stack.dim(), first, rule);
    }
    for (NamedTensor part : whole) {
      if (part.spec().dtype() != first.spec().dtype()) {
        throw MappingFailures.differentTypes(target, first, part, rule);
      }
      if (!part.spec().shape().equals(first.spec().shape())) {
        throw MappingFailures.differentShapes(target, first, part, rule);
      }
    }
    return NamedTensor.stacked(target, stack.dim(), whole);
  }
}
