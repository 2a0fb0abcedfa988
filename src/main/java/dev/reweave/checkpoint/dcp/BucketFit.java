package dev.reweave.checkpoint.dcp;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Puts parameters into buckets as {@code _ParamAndGradBuffer} of Megatron-Core does ({@code
 * param_and_grad_buffer.py} of 0.16): from the last one that was registered to the first, each at a
 * multiple of 64 elements. Where a bucket ends is not computed, but what the file says: there a
 * parameter has to end. Each is a chunk of its own, or several, as the optimizer saves them apart.
 */
final class BucketFit {
  private static final long ALIGNMENT = 64;

  /**
   * A bucket as it is stored.
   *
   * @param index of its tensor among all buckets
   * @param borders where chunks start, and its end
   */
  record Stored(int index, long elements, Set<Long> borders) {
    static Stored of(int index, DcpTensor bucket) {
      Set<Long> borders = new HashSet<>(List.of(bucket.shape().elements()));
      bucket.chunks().forEach(chunk -> borders.add(chunk.offsets().get(0)));
      return new Stored(index, bucket.shape().elements(), borders);
    }

    private boolean canHold(long start, long end) {
      return end <= elements && borders.contains(start) && borders.contains(end);
    }
  }

  /**
   * Where the masters of a part of a tensor are.
   *
   * @param bucket index of its tensor among all buckets
   * @param offset first element
   */
  record Placed(LocalParameter.Part part, int bucket, long offset) {}

  private BucketFit() {}

  /**
   * Divides a model's units among the buffers of a pipeline's stages.
   *
   * @param units of parameters, in the order of the model
   * @param tied what the last of several stages has a copy of, or not
   * @param buffers of all stages in their order, each with its buckets
   * @return empty if they do not fit
   */
  static Optional<List<Placed>> stages(
      List<List<LocalParameter>> units, List<LocalParameter> tied, List<List<Stored>> buffers) {
    if (buffers.isEmpty()) {
      return units.isEmpty() ? Optional.of(List.of()) : Optional.empty();
    }
    List<Placed> placed = new ArrayList<>();
    int from = 0;
    for (int b = 0; b < buffers.size() - 1; b++) {
      Optional<List<Placed>> stage = Optional.empty();
      int to = from;
      while (stage.isEmpty() && to < units.size()) {
        to++;
        stage = buffer(registered(units.subList(from, to)), buffers.get(b));
      }
      if (stage.isEmpty()) {
        return Optional.empty();
      }
      placed.addAll(stage.get());
      from = to;
    }
    List<LocalParameter> rest = registered(units.subList(from, units.size()));
    List<Stored> last = buffers.get(buffers.size() - 1);
    Optional<List<Placed>> stage = buffer(rest, last);
    if (stage.isEmpty() && buffers.size() > 1 && !tied.isEmpty()) {
      rest.addAll(tied);
      stage = buffer(rest, last);
    }
    return stage.map(
        found -> {
          placed.addAll(found);
          return placed;
        });
  }

  private static List<LocalParameter> registered(List<List<LocalParameter>> units) {
    List<LocalParameter> all = new ArrayList<>();
    units.forEach(all::addAll);
    return all;
  }

  private static Optional<List<Placed>> buffer(
      List<LocalParameter> registered, List<Stored> buckets) {
    List<Placed> placed = new ArrayList<>();
    int bucket = 0;
    long end = 0;
    for (int p = registered.size() - 1; p >= 0; p--) {
      LocalParameter parameter = registered.get(p);
      long start = (end + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
      // A bucket for an embedding that two stages share is begun behind the alignment.
      long size = buckets.get(bucket).elements();
      if (end > 0 && (end == size || start == size)) {
        bucket++;
        start = 0;
      }
      end = start + parameter.elements();
      if (bucket == buckets.size() || !buckets.get(bucket).canHold(start, end)) {
        return Optional.empty();
      }
      long at = start;
      for (LocalParameter.Part part : parameter.parts()) {
        placed.add(new Placed(part, buckets.get(bucket).index(), at));
        at += part.elements();
      }
    }
    boolean full = bucket == buckets.size() - 1 && end == buckets.get(bucket).elements();
    return full ? Optional.of(placed) : Optional.empty();
  }
}
