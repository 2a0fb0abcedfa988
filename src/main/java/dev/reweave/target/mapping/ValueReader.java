package dev.reweave.target.mapping;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;

/** Reads what numbers the rules of a mapping refer to, and where they are found. */
final class ValueReader {
  private static final Set<String> VALUE = Set.of("checkpoint", "base", "kind");

  private ValueReader() {}

  static Map<String, NamedValue> read(JsonObject root) {
    Map<String, NamedValue> values = new LinkedHashMap<>();
    root.table("values", VALUE).forEach((name, value) -> values.put(name, value(value)));
    return values;
  }

  private static NamedValue value(JsonObject value) {
    if (!value.has("checkpoint") && !value.has("base")) {
      throw MappingFileFailures.valueOfNothing(value.place());
    }
    return new NamedValue(
        value.has("checkpoint") ? value.amounts("checkpoint") : List.of(),
        value.has("base") ? value.amounts("base") : List.of(),
        switch (value.optionalText("kind").orElse("same")) {
          case "same" -> NamedValue.Kind.SAME;
          case "room" -> NamedValue.Kind.ROOM;
          default -> throw MappingFileFailures.unknownKindOfValue(value.place());
        });
  }

  /** Requires that a rule refers to numbers of which it is said where they are found. */
  static void requireKnown(Rule rule, Set<String> known) {
    amounts(rule.action())
        .flatMap(amount -> amount.names().stream())
        .filter(name -> !known.contains(name))
        .findFirst()
        .ifPresent(
            name -> {
              throw MappingFileFailures.noSuchValue(name, rule.place());
            });
  }

  private static Stream<Amount> amounts(Action action) {
    if (action instanceof Action.Cut cut) {
      return Stream.of(cut.length());
    }
    if (action instanceof Action.Regroup regroup) {
      return Stream.of(
              Stream.of(regroup.groups()), regroup.sizes().stream(), regroup.unit().stream())
          .flatMap(amounts -> amounts);
    }
    if (action instanceof Action.Join join) {
      return join.groups().stream();
    }
    return action instanceof Action.Reorder reorder
        ? reorder.lengths().stream().flatMap(length -> length.stream())
        : Stream.empty();
  }
}
