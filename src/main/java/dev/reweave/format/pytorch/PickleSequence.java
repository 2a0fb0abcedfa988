package dev.reweave.format.pytorch;

import java.util.Arrays;
import java.util.Collections;
import java.util.List;

/** A Python list, tuple or set in a pickle. */
final class PickleSequence {
  /** What it is in Python. */
  enum Kind {
    LIST,
    TUPLE,
    SIZE,
    SET
  }

  private static final Object[] NO_ITEMS = {};

  /** The tuple of nothing. */
  static final PickleSequence EMPTY_TUPLE = new PickleSequence(Kind.TUPLE);

  private final Kind kind;
  private Object[] items;
  private int size;

  PickleSequence(Kind kind, Object... items) {
    this.kind = kind;
    this.items = items.length == 0 ? NO_ITEMS : items;
    this.size = items.length;
  }

  /** A copy of the items as another kind. */
  PickleSequence as(Kind other) {
    return new PickleSequence(other, Arrays.copyOf(items, size));
  }

  void add(Object item) {
    if (size == items.length) {
      items = Arrays.copyOf(items, Math.max(4, size + (size >> 1)));
    }
    items[size++] = item;
  }

  Kind kind() {
    return kind;
  }

  int size() {
    return size;
  }

  Object item(int i) {
    return items[i];
  }

  /** A view of the items. */
  List<Object> items() {
    return Collections.unmodifiableList(Arrays.asList(items).subList(0, size));
  }
}
