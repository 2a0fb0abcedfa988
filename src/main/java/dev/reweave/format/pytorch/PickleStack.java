package dev.reweave.format.pytorch;

import java.util.Arrays;

/** The unpickler's stack, with its marks. What lies below the last mark is out of reach. */
final class PickleStack {
  private final PickleInput input;
  private Object[] items = new Object[64];
  private int size;
  private int[] marks = new int[16];
  private int markCount;

  /**
   * @param input names the place in messages
   */
  PickleStack(PickleInput input) {
    this.input = input;
  }

  void push(Object item) {
    if (size == items.length) {
      items = Arrays.copyOf(items, size * 2);
    }
    items[size++] = item;
  }

  Object pop() {
    Object top = peek();
    items[--size] = null;
    return top;
  }

  Object peek() {
    if (size == floor()) {
      throw PickleFailures.emptyStack(input);
    }
    return items[size - 1];
  }

  void mark() {
    if (markCount == marks.length) {
      marks = Arrays.copyOf(marks, markCount * 2);
    }
    marks[markCount++] = size;
  }

  /** Whether there is nothing above the last mark, but a mark. */
  boolean isAtMark() {
    return markCount > 0 && size == floor();
  }

  /** Takes the last mark and all above it. */
  Object[] popToMark() {
    if (markCount == 0) {
      throw PickleFailures.noMark(input);
    }
    int from = marks[--markCount];
    Object[] top = Arrays.copyOfRange(items, from, size);
    Arrays.fill(items, from, size, null);
    size = from;
    return top;
  }

  private int floor() {
    return markCount == 0 ? 0 : marks[markCount - 1];
  }
}
