package dev.reweave.format.pytorch;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * A Python dict in a pickle, in insertion order.
 *
 * <p>Text and numbers are equal by value, all other keys by identity: to compare what a hostile
 * pickle nests could take forever. Made lazily, as a pickle can hold an empty one in every byte.
 */
final class PickleDict {
  private final Optional<PickleObject> made;
  private Map<Object, Object> entries = Map.of();

  /** A dict. */
  PickleDict() {
    this.made = Optional.empty();
  }

  /**
   * An object of a subclass of dict whose entries can be read as those of a dict.
   *
   * @param made what makes it, without its entries
   */
  PickleDict(PickleObject made) {
    this.made = Optional.of(made);
  }

  /** What makes it without its entries; empty for a plain dict. */
  Optional<PickleObject> made() {
    return made;
  }

  void put(Object key, Object value) {
    if (entries.isEmpty()) {
      entries = new LinkedHashMap<>();
    }
    entries.put(key, value);
  }

  Map<Object, Object> entries() {
    return entries;
  }
}
