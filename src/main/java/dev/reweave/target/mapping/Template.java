package dev.reweave.target.mapping;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A new name: text with {@code $1} and {@code ${group}} for what the groups of a pattern took. A
 * number has one digit; {@code ${10}} is not one.
 */
final class Template {
  private static final Pattern REFERENCE =
      Pattern.compile("\\$(?:([0-9])|\\{([A-Za-z][A-Za-z0-9]*)\\})?");

  /** Adds its piece of a name. */
  @FunctionalInterface
  private interface Piece {
    void append(NameMatch match, StringBuilder name);
  }

  /** What keeps a name that {@link NamePattern#WHOLE} matched. */
  static final Template WHOLE =
      new Template(List.of((match, name) -> name.append(match.group(1))), Set.of(), "");

  private final List<Piece> pieces;
  private final Set<String> groups;
  private final String place;

  private Template(List<Piece> pieces, Set<String> groups, String place) {
    this.pieces = List.copyOf(pieces);
    this.groups = Set.copyOf(groups);
    this.place = place;
  }

  /** Reads a name with references to the groups of {@code pattern}. */
  static Template parse(String text, NamePattern pattern, JsonObject rule) {
    List<Piece> pieces = new ArrayList<>();
    Matcher reference = REFERENCE.matcher(text);
    int at = 0;
    Set<String> groups = new HashSet<>();
    Template template = new Template(List.of(), Set.of(), rule.place());
    while (reference.find()) {
      pieces.add(literal(text.substring(at, reference.start())));
      at = reference.end();
      if (reference.group(1) != null && pattern.hasGroup(Integer.parseInt(reference.group(1)))) {
        int group = Integer.parseInt(reference.group(1));
        pieces.add((match, name) -> name.append(match.group(group)));
      } else if (reference.group(2) != null && pattern.hasGroup(reference.group(2))) {
        String group = reference.group(2);
        groups.add(group);
        pieces.add((match, name) -> name.append(template.translated(match, group)));
      } else {
        throw MappingFileFailures.noSuchGroup(text, reference.group(), rule.place());
      }
    }
    pieces.add(literal(text.substring(at)));
    return new Template(pieces, groups, rule.place());
  }

  /** The literal text {@code prefix}, then what the first group took. */
  static Template prefix(String prefix, JsonObject rule) {
    return new Template(
        List.of(literal(prefix), (match, name) -> name.append(match.group(1))),
        Set.of(),
        rule.place());
  }

  private static Piece literal(String text) {
    return (match, name) -> name.append(text);
  }

  private String translated(NameMatch match, String group) {
    return match
        .group(group)
        .orElseThrow(() -> MappingFailures.untranslated(group, match.name(), place));
  }

  /** Whether names have what a named group took in them. */
  boolean refersTo(String group) {
    return groups.contains(group);
  }

  /** The name for a match. */
  String expand(NameMatch match) {
    StringBuilder name = new StringBuilder();
    for (Piece piece : pieces) {
      piece.append(match, name);
    }
    return name.toString();
  }
}
