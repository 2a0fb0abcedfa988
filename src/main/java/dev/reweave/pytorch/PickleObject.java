package dev.reweave.pytorch;

import java.util.Objects;
import java.util.Optional;

/**
 * What a pickle wants to be made by calling something: remembered, never made.
 *
 * <p>A subclass of dict or list keeps the items that the pickle puts into it.
 */
final class PickleObject {
  private final Object callable;
  private final PickleSequence arguments;
  private Object state = None.NONE;
  private Object items = None.NONE;

  PickleObject(Object callable, PickleSequence arguments) {
    this.callable = callable;
    this.arguments = arguments;
  }

  /** The function or class that would have been called. */
  Object callable() {
    return callable;
  }

  PickleSequence arguments() {
    return arguments;
  }

  /** What Python would have given to {@code __setstate__}. */
  Object state() {
    return state;
  }

  void build(Object newState) {
    state = newState;
  }

  /** The entries, where this is a subclass of dict. */
  Optional<PickleDict> dict() {
    return items instanceof PickleDict dict ? Optional.of(dict) : Optional.empty();
  }

  /** The items, where this is a subclass of list or set. */
  Optional<PickleSequence> list() {
    return items instanceof PickleSequence list ? Optional.of(list) : Optional.empty();
  }

  void put(Object key, Object value) {
    PickleDict dict = dict().orElseGet(PickleDict::new);
    dict.put(key, value);
    items = dict;
  }

  void add(Object item) {
    PickleSequence list = list().orElseGet(() -> new PickleSequence(PickleSequence.Kind.LIST));
    list.add(item);
    items = list;
  }

  /** An attribute in the state, which is a dict, or a tuple of a dict and the slots. */
  Optional<Object> attribute(String name) {
    if (state instanceof PickleSequence both) {
      return both.items().stream()
          .filter(PickleDict.class::isInstance)
          .map(part -> ((PickleDict) part).entries().get(name))
          .filter(Objects::nonNull)
          .findFirst();
    }
    return state instanceof PickleDict dict
        ? Optional.ofNullable(dict.entries().get(name))
        : Optional.empty();
  }
}
