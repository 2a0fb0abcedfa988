package dev.reweave.target.mapping;

import dev.reweave.common.BoundedMatch;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/** Which names a rule is about: those that a regular expression matches from end to end. */
final class NamePattern {
  /** All names; has the one group that {@link #prefix} gives. */
  static final NamePattern WHOLE = prefix("");

  private final Pattern pattern;
  private final Map<String, Map<String, String>> tables;
  private final String place;

  /** Names beside those of the groups; the {@link NameMatch} is given a text for each. */
  private final Set<String> given;

  /** The expression matched against the empty text, which knows the names of its groups. */
  private final Matcher groups;

  private NamePattern(
      String regex, Map<String, Map<String, String>> tables, String place, Set<String> given) {
    this.pattern = Pattern.compile(regex);
    this.tables = Map.copyOf(tables);
    this.place = place;
    this.given = Set.copyOf(given);
    this.groups = Pattern.compile("|" + regex).matcher("");
    groups.matches();
  }

  /** Names that match an expression. */
  static NamePattern regex(String regex, JsonObject rule) {
    return regex(regex, Map.of(), rule);
  }

  /**
   * Names that match an expression.
   *
   * @param tables by a group's name, what stands in new names for each text of the group
   */
  static NamePattern regex(String regex, Map<String, Map<String, String>> tables, JsonObject rule) {
    try {
      NamePattern pattern = new NamePattern(regex, tables, rule.place(), Set.of());
      for (String group : tables.keySet()) {
        if (!pattern.hasGroup(group)) {
          throw MappingFileFailures.translateOfNoGroup(group, rule.place());
        }
      }
      return pattern;
    } catch (PatternSyntaxException e) {
      throw MappingFileFailures.notRegex(regex, e, rule.place());
    }
  }

  /** Names that start with a literal text; what follows it is group 1. */
  static NamePattern prefix(String prefix) {
    return new NamePattern("(?s)" + Pattern.quote(prefix) + "(.*)", Map.of(), "", Set.of());
  }

  /** The same names, for new names that refer to this as to a group. */
  NamePattern giving(String group) {
    return new NamePattern(pattern.pattern(), tables, place, Set.of(group));
  }

  boolean hasGroup(int group) {
    return group <= groups.groupCount();
  }

  boolean hasGroup(String group) {
    if (given.contains(group)) {
      return true;
    }
    try {
      groups.group(group);
      return true;
    } catch (IllegalArgumentException e) {
      return false;
    }
  }

  boolean matches(String name) {
    return BoundedMatch.ofWhole(pattern, name, place).isPresent();
  }

  Optional<NameMatch> match(String name) {
    return BoundedMatch.ofWhole(pattern, name, place)
        .map(matcher -> new NameMatch(name, matcher, tables));
  }
}
