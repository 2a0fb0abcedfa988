package dev.reweave.plan;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.TreeMap;

/**
 * Where the bytes of a chunk come from, told from samples that are evenly spread over it: a tensor
 * that is stored transposed has a run for every element, and to look at all would take as long as
 * the conversion. What a chunk takes more than a 32nd of its bytes from is not missed.
 */
public final class ChunkSources {
  private static final int SAMPLES = 64;

  /**
   * Where one of the samples lies.
   *
   * @param file index of the input file
   * @param position byte in it
   */
  public record Sample(int file, long position) implements Serializable {}

  private ChunkSources() {}

  /**
   * The samples of a chunk, in the order of its bytes; none of what the plan itself knows. An
   * element that is made of several copies gives a sample of each.
   */
  public static List<Sample> of(PlannedFile file, Chunk chunk) {
    List<Sample> samples = new ArrayList<>();
    long count = Math.min(SAMPLES, chunk.length());
    for (long i = 0; i < count; i++) {
      // The middle of each of count stretches; parts first, since the product may be too big.
      long stretch = chunk.length() / count;
      long rest = chunk.length() % count;
      add(file, chunk.from() + i * stretch + i * rest / count + stretch / 2, samples);
    }
    return samples;
  }

  private static void add(PlannedFile file, long position, List<Sample> samples) {
    int s = file.segmentAt(position);
    while (s + 1 < file.segments().size() && file.position(s + 1) <= position) {
      s++;
    }
    if (file.segments().get(s) instanceof Segment.OfTensor ofTensor) {
      long element =
          ofTensor.from() + (position - file.position(s)) / ofTensor.spec().dtype().bytes();
      ofTensor
          .layout()
          .runs(
              element,
              element + 1,
              (storage, offset, elements) ->
                  samples.add(
                      new Sample(
                          storage.file(), storage.position() + offset * storage.dtype().bytes())));
    }
  }

  /** The input file that most of a chunk comes from, the first of several; empty if none does. */
  public static OptionalInt main(PlannedFile file, Chunk chunk) {
    Map<Integer, Integer> counts = new TreeMap<>();
    of(file, chunk).forEach(sample -> counts.merge(sample.file(), 1, Integer::sum));
    return counts.entrySet().stream()
        .reduce((a, b) -> b.getValue() > a.getValue() ? b : a)
        .map(most -> OptionalInt.of(most.getKey()))
        .orElse(OptionalInt.empty());
  }
}
