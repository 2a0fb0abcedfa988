package dev.reweave.tensor;

import java.io.Serializable;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * The flat buffers of all ranks that share parameters under ZeRO-3, in rank order: one object for
 * the layouts of all tensors in them, which do not ask each rank the same again.
 */
public final class RankBuffers implements Serializable {
  private static final long serialVersionUID = 1L;

  private final List<FlatBuffer> ranks;
  private final DType dtype;
  private final long elements;

  /** Made when it is first asked for; by several threads the same. */
  private transient volatile Map<Integer, List<Integer>> byFile;

  /**
   * @throws IllegalArgumentException if there is no rank, or the buffers' types differ
   */
  public RankBuffers(List<FlatBuffer> ranks) {
    if (ranks.isEmpty()) {
      throw new IllegalArgumentException("buffers of no ranks");
    }
    this.ranks = List.copyOf(ranks);
    this.dtype = ranks.get(0).dtype();
    long least = Long.MAX_VALUE;
    for (FlatBuffer rank : ranks) {
      if (rank.dtype() != dtype) {
        throw new IllegalArgumentException(
            "ranks with buffers of " + dtype + " and " + rank.dtype());
      }
      least = Math.min(least, rank.elements());
    }
    this.elements = least;
  }

  /** Number of ranks. */
  public int count() {
    return ranks.size();
  }

  /** Type of the elements. */
  DType dtype() {
    return dtype;
  }

  /** Elements that every rank has. */
  long elements() {
    return elements;
  }

  FlatBuffer rank(int rank) {
    return ranks.get(rank);
  }

  /** The ranks of which a piece lies in this input file. */
  List<Integer> ranksIn(int file) {
    Map<Integer, List<Integer>> known = byFile;
    if (known == null) {
      Map<Integer, TreeSet<Integer>> found = new TreeMap<>();
      for (int r = 0; r < ranks.size(); r++) {
        for (int f : ranks.get(r).files()) {
          found.computeIfAbsent(f, file0 -> new TreeSet<>()).add(r);
        }
      }
      known = new TreeMap<>();
      for (Map.Entry<Integer, TreeSet<Integer>> entry : found.entrySet()) {
        known.put(entry.getKey(), List.copyOf(entry.getValue()));
      }
      byFile = known;
    }
    return known.getOrDefault(file, List.of());
  }
}
