package dev.reweave.target.mapping;

import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * What the names of a model that a mapping is for have in common.
 *
 * @param own of the checkpoint
 * @param base of the model that the result shall look like; absent where there need be none
 * @param types one of which is the {@code model_type} of that model; empty if any or none will do
 */
record Recognition(Scheme own, Optional<Scheme> base, List<String> types) {
  Recognition {
    types = List.copyOf(types);
  }

  /**
   * A way to name tensors.
   *
   * @param all each matches some name
   * @param none matches no name
   */
  record Scheme(List<NamePattern> all, List<NamePattern> none) {
    Scheme {
      all = List.copyOf(all);
      none = List.copyOf(none);
    }

    boolean fits(Collection<String> names) {
      return all.stream().allMatch(pattern -> names.stream().anyMatch(pattern::matches))
          && none.stream().noneMatch(pattern -> names.stream().anyMatch(pattern::matches));
    }
  }

  /** Whether nothing but the base's model decides. */
  boolean awaitsBase(Collection<String> names) {
    return !types.isEmpty() && own.fits(names);
  }

  /** Asks for what is known of the base only where the names fit, and the base matters. */
  boolean fits(Collection<String> names, Supplier<ModelFacts> facts) {
    return own.fits(names)
        && (types.isEmpty() || types.contains(facts.get().modelType()))
        && (base.isEmpty() || base.get().fits(facts.get().names().get()));
  }
}
