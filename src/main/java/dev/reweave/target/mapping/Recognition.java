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
 */
record Recognition(Scheme own, Optional<Scheme> base) {

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

  /** Asks for the base's names only where the others fit, and the base's matter. */
  boolean fits(Collection<String> names, Supplier<? extends Collection<String>> ofBase) {
    return own.fits(names) && (base.isEmpty() || base.get().fits(ofBase.get()));
  }
}
