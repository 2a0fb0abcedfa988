package dev.reweave.tensor;

import java.util.List;
import java.util.Objects;

/**
 * One tensor of which several ranks keep a copy each, or that is stored under several names: every
 * element is made of the same element of all of them.
 */
public final class CombinedLayout implements Layout {
  private static final long serialVersionUID = 1L;

  /** What becomes of the copies. */
  public enum Kind {
    /** Their mean is taken. */
    AVERAGED,
    /** The first is taken, and the others should be the same. */
    REPLICATED,
    /** The first is taken, and the others must be the same: they are other names of one tensor. */
    TIED
  }

  private final Kind kind;
  private final List<Layout> parts;

  /**
   * @param parts the copies, in rank order
   * @throws IllegalArgumentException if there is no part, they differ in type or length, are of
   *     other such layouts, or have no mean
   */
  public CombinedLayout(Kind kind, List<Layout> parts) {
    if (parts.isEmpty()) {
      throw new IllegalArgumentException("no copies");
    }
    this.kind = kind;
    this.parts = List.copyOf(parts);
    for (Layout part : parts) {
      if (part.dtype() != dtype() || part.elements() != elements()) {
        throw new IllegalArgumentException("copies of different types or lengths");
      }
      if (part.width() > 1) {
        throw new IllegalArgumentException("copies that are made of copies");
      }
    }
    if (kind == Kind.AVERAGED && !dtype().isCastable()) {
      throw new IllegalArgumentException("no mean of " + dtype() + " elements");
    }
  }

  /** What becomes of the copies. */
  public Kind kind() {
    return kind;
  }

  @Override
  public long elements() {
    return parts.get(0).elements();
  }

  @Override
  public DType dtype() {
    return parts.get(0).dtype();
  }

  @Override
  public void runs(long from, long to, RunConsumer consumer) {
    Objects.checkFromToIndex(from, to, elements());
    if (from < to) {
      consumer.combined(kind, parts, from, to);
    }
  }

  @Override
  public void runsIn(int file, RunConsumer consumer) {
    parts.forEach(part -> part.runsIn(file, consumer));
  }

  @Override
  public long granularity() {
    long least = parts.stream().mapToLong(Layout::granularity).min().orElseThrow();
    return Math.max(1, Math.min(least, elements()) / parts.size());
  }

  @Override
  public int width() {
    return parts.size();
  }

  @Override
  public boolean isComputed() {
    return kind == Kind.AVERAGED && parts.size() > 1;
  }

  @Override
  public long storedElements() {
    return elements() * parts.size();
  }
}
