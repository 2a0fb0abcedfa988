package dev.reweave.target.mapping;

import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Names that there must be.
 *
 * @param pattern the names that bring others with them; absent where the others must always be
 */
record Requirement(Optional<NamePattern> pattern, List<Template> names) {

  Requirement {
    names = List.copyOf(names);
  }

  /** The names that these names bring with them. */
  Set<String> requiredBy(Collection<String> present) {
    Set<String> required = new LinkedHashSet<>();
    if (pattern.isEmpty()) {
      NamePattern.WHOLE.match("").ifPresent(match -> addTo(required, match));
    } else {
      for (String name : present) {
        pattern.get().match(name).ifPresent(match -> addTo(required, match));
      }
    }
    return required;
  }

  private void addTo(Set<String> required, NameMatch match) {
    for (Template name : names) {
      required.add(name.expand(match));
    }
  }
}
