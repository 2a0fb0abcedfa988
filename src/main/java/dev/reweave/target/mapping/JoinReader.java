package dev.reweave.target.mapping;

import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** Reads how a rule makes one tensor of several: joined, or stacked, of pieces or not. */
final class JoinReader {
  private static final Set<String> JOIN = Set.of("to", "dim", "part", "order", "groups");
  private static final Set<String> PIECES = Set.of("dim", "part", "order");
  private static final Set<String> STACK = Set.of("to", "dim", "index", "join");

  private JoinReader() {}

  static Action.Join read(JsonObject rule, NamePattern pattern) {
    JsonObject join = rule.object("join", JOIN);
    return join(join, Template.parse(join.text("to"), pattern, join), pattern);
  }

  static Action.Stack stack(JsonObject rule, NamePattern pattern) {
    JsonObject stack = rule.object("stack", STACK);
    Template to = Template.parse(stack.text("to"), pattern, stack);
    return new Action.Stack(
        to,
        stack.dimension(),
        Template.parse(stack.text("index"), pattern, stack),
        stack.has("join")
            ? Optional.of(join(stack.object("join", PIECES), to, pattern))
            : Optional.empty());
  }

  private static Action.Join join(JsonObject join, Template to, NamePattern pattern) {
    List<String> order = join.texts("order");
    if (new LinkedHashSet<>(order).size() < order.size()) {
      throw MappingFileFailures.partTwiceInOrder(join.place());
    }
    return new Action.Join(
        to,
        join.dimension(),
        Template.parse(join.text("part"), pattern, join),
        order,
        join.has("groups") ? Optional.of(join.amount("groups")) : Optional.empty());
  }
}
