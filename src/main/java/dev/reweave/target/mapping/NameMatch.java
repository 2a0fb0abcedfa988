package dev.reweave.target.mapping;

import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;

/** A name that a pattern matches, and what its groups took of it. */
final class NameMatch {
  private final String name;
  private final Matcher matcher;
  private final Map<String, Map<String, String>> tables;

  /** Texts by names that stand for no group of the pattern. */
  private final Map<String, String> given;

  NameMatch(String name, Matcher matcher, Map<String, Map<String, String>> tables) {
    this(name, matcher, tables, Map.of());
  }

  private NameMatch(
      String name,
      Matcher matcher,
      Map<String, Map<String, String>> tables,
      Map<String, String> given) {
    this.name = name;
    this.matcher = matcher;
    this.tables = tables;
    this.given = given;
  }

  /** The same match, with a text under a name that no group of the pattern has. */
  NameMatch giving(String group, String text) {
    return new NameMatch(name, matcher, tables, Map.of(group, text));
  }

  /** The whole name. */
  String name() {
    return name;
  }

  /** What a group took; empty where it took no part in the match. */
  String group(int group) {
    return Optional.ofNullable(matcher.group(group)).orElse("");
  }

  /**
   * What stands for what a group took; nothing if its table does not have that.
   *
   * @throws IllegalArgumentException if there is no such group
   */
  Optional<String> group(String group) {
    if (given.containsKey(group)) {
      return Optional.of(given.get(group));
    }
    String text = Optional.ofNullable(matcher.group(group)).orElse("");
    Map<String, String> table = tables.get(group);
    return table == null ? Optional.of(text) : Optional.ofNullable(table.get(text));
  }
}
