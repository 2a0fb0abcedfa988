package dev.reweave.tensor;

import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * Tensors joined along one dimension, as {@code torch.cat} gives them: row by row, the row of each
 * part. A row is what lies under one index of all dimensions before the joined one.
 */
public final class JoinedLayout implements Layout {
  private static final long serialVersionUID = 1L;

  private final long outer;
  private final Layout[] parts;
  private final long[] ends;

  /**
   * @param outer number of rows, the same in all parts, at least 1: the product of the dimensions
   *     before the joined one
   * @param parts in order; a row of one takes its share of the part's elements
   * @throws IllegalArgumentException if there is no part, their types differ, or their elements are
   *     not so many rows
   */
  public JoinedLayout(long outer, List<Layout> parts) {
    if (parts.isEmpty() || outer < 1) {
      throw new IllegalArgumentException(parts.size() + " parts of " + outer + " rows");
    }
    this.outer = outer;
    this.parts = parts.toArray(Layout[]::new);
    this.ends = new long[this.parts.length];
    long end = 0;
    for (int i = 0; i < ends.length; i++) {
      Layout part = this.parts[i];
      if (part.dtype() != dtype()) {
        throw new IllegalArgumentException("parts of " + dtype() + " and " + part.dtype());
      }
      if (part.elements() % outer != 0) {
        throw new IllegalArgumentException(
            "a part of " + part.elements() + " elements in " + outer + " rows");
      }
      end += part.elements() / outer;
      if (end < 0 || end > Long.MAX_VALUE / outer) {
        throw new IllegalArgumentException("parts of too many elements");
      }
      ends[i] = end;
    }
  }

  /** Elements of a row of all parts. */
  private long row() {
    return ends[ends.length - 1];
  }

  private long startOf(int part) {
    return part == 0 ? 0 : ends[part - 1];
  }

  @Override
  public long elements() {
    return outer * row();
  }

  @Override
  public DType dtype() {
    return parts[0].dtype();
  }

  @Override
  public void runs(long from, long to, RunConsumer consumer) {
    Objects.checkFromToIndex(from, to, elements());
    long at = from;
    while (at < to) {
      long row = at / row();
      long within = at % row();
      long stop = Math.min(row(), within + (to - at));
      for (int i = 0; i < parts.length && within < stop; i++) {
        if (ends[i] > within) {
          long partRow = ends[i] - startOf(i);
          long start = row * partRow + within - startOf(i);
          long count = Math.min(ends[i], stop) - within;
          parts[i].runs(start, start + count, consumer);
          within += count;
          at += count;
        }
      }
    }
  }

  @Override
  public void runsIn(int file, RunConsumer consumer) {
    for (Layout part : parts) {
      part.runsIn(file, consumer);
    }
  }

  @Override
  public long granularity() {
    long least = Long.MAX_VALUE;
    for (int i = 0; i < parts.length; i++) {
      long partRow = ends[i] - startOf(i);
      if (partRow > 0) {
        least = Math.min(least, NarrowedLayout.granularityOfRows(parts[i], partRow));
      }
    }
    return elements() == 0 ? 1 : least;
  }

  @Override
  public int width() {
    return Arrays.stream(parts).mapToInt(Layout::width).max().orElseThrow();
  }

  @Override
  public int besides() {
    return Arrays.stream(parts).mapToInt(Layout::besides).max().orElseThrow();
  }

  @Override
  public Optional<DType> summedOn() {
    return Arrays.stream(parts).map(Layout::summedOn).flatMap(Optional::stream).findFirst();
  }

  @Override
  public DType storedType() {
    return parts[0].storedType();
  }

  @Override
  public boolean isComputed() {
    return Arrays.stream(parts).anyMatch(Layout::isComputed);
  }

  @Override
  public long storedElements() {
    return Arrays.stream(parts).mapToLong(Layout::storedElements).sum();
  }

  @Override
  public long storedBytes() {
    return Arrays.stream(parts).mapToLong(Layout::storedBytes).sum();
  }
}
