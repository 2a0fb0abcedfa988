package dev.reweave.checkpoint.dcp;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Predicate;

/**
 * The buckets of all ranks of Megatron-Core, and what of the model each of them has.
 *
 * <p>{@code dp_group_idx} of a bucket is its rank's in the group of tensor- and pipeline-parallel
 * ranks, the tensor-parallel ones following each other ({@code parallel_state.py} of 0.16). Experts
 * that ranks divide among themselves have an optimizer of their own, whose index is that in the
 * group of tensor-, expert- and pipeline-parallel ranks.
 */
final class BucketGrid {
  private final RankSlices slices;
  private final String place;

  /** Buckets by optimizer, group and buffer. */
  private final Map<Integer, Map<Integer, Map<Integer, List<BucketFit.Stored>>>> buckets =
      new TreeMap<>();

  /**
   * @param names of the buckets
   * @param tensors of the buckets, in the same order
   * @param place the checkpoint, for messages
   */
  BucketGrid(RankSlices slices, List<Bucket> names, List<DcpTensor> tensors, String place) {
    this.slices = slices;
    this.place = place;
    for (int b = 0; b < names.size(); b++) {
      Bucket name = names.get(b);
      buckets
          .computeIfAbsent(name.optimizer(), o -> new TreeMap<>())
          .computeIfAbsent(name.group(), g -> new TreeMap<>())
          .computeIfAbsent(name.buffer(), i -> new ArrayList<>())
          .add(BucketFit.Stored.of(b, tensors.get(b)));
    }
    if (buckets.size() > 2) {
      throw DcpFailures.flatMasters("there are " + buckets.size() + " optimizers", place);
    }
  }

  /**
   * Where all masters are if the parameters are registered in an order.
   *
   * @return empty if the buckets are not those of that order
   */
  Optional<List<BucketFit.Placed>> placed(ParameterOrder order) {
    boolean apart = buckets.size() == 2;
    List<Map<Integer, Map<Integer, List<BucketFit.Stored>>>> optimizers =
        List.copyOf(buckets.values());
    int ranks = slices.tensorRanks();
    int stages = quotient(optimizers.get(0).size(), ranks);
    List<BucketFit.Placed> all = new ArrayList<>();
    for (int rank = 0; rank < ranks; rank++) {
      Optional<List<BucketFit.Placed>> found =
          BucketFit.stages(
              slices.units(order, key -> !(apart && key.isOfExpert()), rank, ranks),
              slices.tied(rank),
              buffers(optimizers.get(0), rank, ranks, stages));
      if (found.isEmpty()) {
        return found;
      }
      all.addAll(found.get());
    }
    return apart
        ? experts(order, optimizers.get(1), stages)
            .map(
                more -> {
                  all.addAll(more);
                  return all;
                })
        : Optional.of(all);
  }

  private Optional<List<BucketFit.Placed>> experts(
      ParameterOrder order, Map<Integer, Map<Integer, List<BucketFit.Stored>>> groups, int stages) {
    int tensorRanks = Math.max(1, slices.expertTensorRanks());
    int ranks = quotient(groups.size(), stages);
    long experts = slices.experts();
    int expertRanks = quotient(ranks, tensorRanks);
    if (experts % expertRanks != 0) {
      return Optional.empty();
    }
    long each = experts / expertRanks;
    List<BucketFit.Placed> all = new ArrayList<>();
    for (int rank = 0; rank < ranks; rank++) {
      long first = rank / tensorRanks * each;
      Predicate<RankSlices.Key> own =
          key -> key.isOfExpert() && key.expert() >= first && key.expert() < first + each;
      Optional<List<BucketFit.Placed>> found =
          BucketFit.stages(
              slices.units(order, own, rank % tensorRanks, tensorRanks),
              List.of(),
              buffers(groups, rank, ranks, stages));
      if (found.isEmpty()) {
        return found;
      }
      all.addAll(found.get());
    }
    return Optional.of(all);
  }

  private int quotient(int ranks, int each) {
    if (ranks % each != 0) {
      throw DcpFailures.flatMasters(
          "they are those of " + ranks + " ranks, which are no multiple of " + each, place);
    }
    return ranks / each;
  }

  /** Those of one rank of every stage, in the order of the layers in them. */
  private static List<List<BucketFit.Stored>> buffers(
      Map<Integer, Map<Integer, List<BucketFit.Stored>>> groups, int rank, int ranks, int stages) {
    List<List<List<BucketFit.Stored>>> byStage = new ArrayList<>();
    for (int stage = 0; stage < stages; stage++) {
      byStage.add(List.copyOf(groups.getOrDefault(stage * ranks + rank, Map.of()).values()));
    }
    // A stage of an interleaved pipeline has several parts of the model, one buffer each.
    int parts = byStage.stream().mapToInt(List::size).max().orElse(0);
    List<List<BucketFit.Stored>> buffers = new ArrayList<>();
    for (int part = 0; part < parts; part++) {
      for (List<List<BucketFit.Stored>> stage : byStage) {
        if (part < stage.size()) {
          buffers.add(stage.get(part));
        }
      }
    }
    return buffers;
  }
}
