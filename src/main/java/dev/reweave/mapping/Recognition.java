package dev.reweave.mapping;

import java.util.Collection;
import java.util.List;

/**
 * What the names of a model that a mapping is for have in common.
 *
 * @param all each matches some name
 * @param none matches no name
 */
record Recognition(List<NamePattern> all, List<NamePattern> none) {
  Recognition {
    all = List.copyOf(all);
    none = List.copyOf(none);
  }

  boolean fits(Collection<String> names) {
    return all.stream().allMatch(pattern -> names.stream().anyMatch(pattern::matches))
        && none.stream().noneMatch(pattern -> names.stream().anyMatch(pattern::matches));
  }
}
