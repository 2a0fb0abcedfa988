package dev.reweave.target.mapping;

import dev.reweave.common.ReweaveException;
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
      throw problem(
          "tensor "
              + tensor.name()
              + " is number '"
              + text
              + "' of "
              + target
              + ", which is no number such as 0 or 12");
    }
    int number = Integer.parseInt(text);
    if (stack.join().isPresent()) {
      joinings
          .computeIfAbsent(number, n -> new Joining(numbered(n), rule, stack.join().get()))
          .add(match, tensor);
      return;
    }
    NamedTensor other = parts.putIfAbsent(number, tensor);
    if (other != null) {
      throw problem(other.name() + " and " + tensor.name() + " are both " + numbered(number));
    }
  }

  private String numbered(int number) {
    return "number " + number + " of " + target;
  }

  private ReweaveException problem(String problem) {
    return ReweaveException.mismatch(problem, rule.place(), "correct the rule");
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
      throw problem(
          "parts of "
              + target
              + " cannot be stacked along dimension "
              + stack.dim()
              + ": "
              + Assembly.shown(first));
    }
    for (NamedTensor part : whole) {
      boolean sameType = part.spec().dtype() == first.spec().dtype();
      if (!sameType || !part.spec().shape().equals(first.spec().shape())) {
        throw problem(
            "parts of "
                + target
                + " are of different "
                + (sameType ? "shapes" : "types")
                + ": "
                + Assembly.shown(first)
                + ", "
                + Assembly.shown(part));
      }
    }
    return NamedTensor.stacked(target, stack.dim(), whole);
  }
}
