package dev.reweave.format.pytorch;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * A Python dict in a pickle, in insertion order.
 *
 * <p>Text and numbers are equal by value, all other keys by identity: to compare what a hostile
 * pickle nests could take forever. Made lazily, as a pickle can hold an empty one in every byte.
 */
final class PickleDict {
  private Map<Object, Object> entries = Map.of();

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
