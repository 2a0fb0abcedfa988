package dev.reweave.look.compare;

import dev.reweave.storage.InputFile;
import dev.reweave.tensor.Comparer;
import dev.reweave.tensor.Layout;
import dev.reweave.tensor.NamedTensor;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * Which elements are compared in which task: a pure function of the two sides and the size of a
 * chunk.
 *
 * @param pairs tensors of both sides that have a name in common
 */
record DiffPlan(Work work, List<Pair> pairs, List<Chunk> chunks) {
  /** What is sent to every task, once. */
  record Work(List<InputFile> first, List<InputFile> second, List<Layouts> layouts)
      implements Serializable {}

  /** Where the elements of one pair are. */
  record Layouts(Layout first, Layout second) implements Serializable {
    /** Bytes that are read for one element, of both sides. */
    long bytesPerElement() {
      return (long) first.width() * first.dtype().bytes()
          + (long) second.width() * second.dtype().bytes();
    }
  }

  /**
   * Two tensors that have names in common.
   *
   * @param names all of them
   */
  record Pair(List<String> names, NamedTensor first, NamedTensor second) {
    /** Whether their elements can be compared one by one. */
    boolean isComparable() {
      return first.spec().shape().equals(second.spec().shape())
          && Comparer.compares(first.spec().dtype(), second.spec().dtype());
    }
  }

  /** Elements {@code [from, to)} of one pair. */
  record Range(int pair, long from, long to) implements Serializable {}

  /** The work of one task. */
  record Chunk(List<Range> ranges) implements Serializable {}

  /**
   * Plans a comparison.
   *
   * @param pairs in the order in which they are to be read
   * @param chunkBytes most bytes of one chunk, of both sides, unless a block of elements has more
   */
  static DiffPlan of(
      List<InputFile> first, List<InputFile> second, List<Pair> pairs, long chunkBytes) {
    List<Layouts> layouts =
        pairs.stream().map(p -> new Layouts(p.first().layout(), p.second().layout())).toList();
    List<Chunk> chunks = new ArrayList<>();
    List<Range> ranges = new ArrayList<>();
    long room = chunkBytes;
    for (int p = 0; p < layouts.size(); p++) {
      long each = layouts.get(p).bytesPerElement();
      long elements = pairs.get(p).isComparable() ? layouts.get(p).first().elements() : 0;
      long at = 0;
      while (at < elements) {
        long fitting = Math.min(elements - at, room / each);
        if (at + fitting < elements) {
          fitting -= fitting % Comparer.BLOCK;
        }
        if (fitting == 0 && ranges.isEmpty()) {
          fitting = Math.min(elements - at, Comparer.BLOCK);
        }
        if (fitting > 0) {
          ranges.add(new Range(p, at, at + fitting));
          at += fitting;
          room -= fitting * each;
        }
        if (at < elements) {
          chunks.add(new Chunk(List.copyOf(ranges)));
          ranges.clear();
          room = chunkBytes;
        }
      }
    }
    if (!ranges.isEmpty()) {
      chunks.add(new Chunk(List.copyOf(ranges)));
    }
    return new DiffPlan(new Work(first, second, layouts), List.copyOf(pairs), chunks);
  }

  /** What a chunk reads of both sides, in bytes. */
  long bytes(Chunk chunk) {
    return chunk.ranges().stream()
        .mapToLong(r -> (r.to() - r.from()) * work.layouts().get(r.pair()).bytesPerElement())
        .sum();
  }

  /** The part of it that compares these pairs, by their numbers. */
  DiffPlan only(Set<Integer> wanted) {
    List<Chunk> some =
        chunks.stream()
            .map(
                chunk ->
                    new Chunk(
                        chunk.ranges().stream().filter(r -> wanted.contains(r.pair())).toList()))
            .filter(chunk -> !chunk.ranges().isEmpty())
            .toList();
    return new DiffPlan(work, pairs, some);
  }
}
