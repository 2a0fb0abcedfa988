package dev.reweave.checkpoint.deepspeed;

import dev.reweave.tensor.NamedTensor;
import java.util.ArrayList;
import java.util.List;

/**
 * Puts together what the expert-parallel ranks have of a parameter group of experts. Each of them
 * has the same number of experts under the same local names; expert {@code i} of rank {@code e} is
 * number {@code e * experts per rank + i} of the layer.
 */
final class ExpertMasters {
  private final ExpertWeights weights;
  private final String place;

  /**
   * @param weights what the files of experts say
   * @param place for messages
   */
  ExpertMasters(ExpertWeights weights, String place) {
    this.weights = weights;
    this.place = place;
  }

  /**
   * The group's parameters in the whole model.
   *
   * @param byRank the parameters of each expert-parallel rank, in rank order, under local names
   */
  List<NamedTensor> unite(List<List<NamedTensor>> byRank) {
    int ranks = byRank.size();
    if (ranks == 1) {
      return byRank.get(0);
    }
    List<NamedTensor> whole = new ArrayList<>();
    for (int i = 0; i < byRank.get(0).size(); i++) {
      int index = i;
      NamedTensor first = byRank.get(0).get(i);
      var name = ExpertName.of(first.name());
      var stack = weights.experts().stackOf(first.name());
      if (name.isPresent()) {
        int local = perRank(name.get(), ranks);
        for (int rank = 0; rank < ranks; rank++) {
          int number = Math.addExact(Math.multiplyExact(rank, local), name.get().number());
          whole.add(byRank.get(rank).get(i).renamed(name.get().ofExpert(number)));
        }
      } else if (stack.isPresent()) {
        whole.add(stacked(stack.get(), byRank.stream().map(r -> r.get(index)).toList()));
      } else {
        throw ExpertFailures.notAnExpert(first.name(), ranks, place);
      }
    }
    return whole;
  }

  private int perRank(ExpertName name, int ranks) {
    int count =
        weights
            .countOf(name.before())
            .orElseThrow(() -> ExpertFailures.countNotTold(name.before(), place));
    if (count % ranks != 0 || name.number() >= count / ranks) {
      throw ExpertFailures.notShared(name, count, ranks, place);
    }
    return count / ranks;
  }

  private NamedTensor stacked(Experts.Stack stack, List<NamedTensor> slices) {
    NamedTensor first = slices.get(0);
    if (stack.ranks() != slices.size()
        || first.spec().shape().rank() == 0
        || first.spec().shape().dim(0) * slices.size() != stack.experts()) {
      throw ExpertFailures.otherStack(first.spec(), slices.size(), stack, place);
    }
    return NamedTensor.joined(first.name(), 0, slices);
  }
}
