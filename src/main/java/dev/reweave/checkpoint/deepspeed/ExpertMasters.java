package dev.reweave.checkpoint.deepspeed;

import dev.reweave.common.ReweaveException;
import dev.reweave.tensor.NamedTensor;
import java.util.ArrayList;
import java.util.List;

/**
 * Puts together what the expert-parallel ranks have of a parameter group of experts. Each of them
 * has the same number of experts under the same local names; expert {@code i} of rank {@code e} is
 * number {@code e * experts per rank + i} of the layer.
 */
final class ExpertMasters {
  private static final String MIXED =
      "files of two runs are mixed or one is damaged: copy this step's files from the training run"
          + " again";

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
        throw ReweaveException.unsupported(
            "parameter "
                + first.name()
                + " lies in a group of "
                + ranks
                + " expert-parallel ranks, and its name is not that of an expert",
            place,
            "convert the module's own weights with --weights model");
      }
    }
    return whole;
  }

  private int perRank(ExpertName name, int ranks) {
    int count =
        weights
            .countOf(name.before())
            .orElseThrow(
                () ->
                    new ReweaveException(
                        "no layer_*_expert_*_model_states.pt tells how many experts "
                            + name.before()
                            + "* has",
                        place,
                        MIXED));
    if (count % ranks != 0 || name.number() >= count / ranks) {
      throw new ReweaveException(
          "there are "
              + count
              + " experts "
              + name.before()
              + "*, shared by "
              + ranks
              + " expert-parallel ranks, and one of these has expert "
              + name.number(),
          place,
          MIXED);
    }
    return count / ranks;
  }

  private NamedTensor stacked(Experts.Stack stack, List<NamedTensor> slices) {
    NamedTensor first = slices.get(0);
    if (stack.ranks() != slices.size()
        || first.spec().shape().rank() == 0
        || first.spec().shape().dim(0) * slices.size() != stack.experts()) {
      throw new ReweaveException(
          slices.size()
              + " expert-parallel ranks have "
              + first.name()
              + " of shape "
              + first.spec().shape()
              + ", and the model states tell of "
              + stack.ranks()
              + " with "
              + stack.experts()
              + " experts in all",
          place,
          MIXED);
    }
    return NamedTensor.joined(first.name(), 0, slices);
  }
}
