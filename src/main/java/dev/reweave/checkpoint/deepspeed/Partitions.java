package dev.reweave.checkpoint.deepspeed;

import dev.reweave.common.ReweaveException;
import dev.reweave.tensor.FlatBuffer;
import dev.reweave.tensor.Layout;
import dev.reweave.tensor.NamedTensor;
import dev.reweave.tensor.PartitionedLayout;
import dev.reweave.tensor.RankBuffers;
import dev.reweave.tensor.Shape;
import dev.reweave.tensor.TensorSpec;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The trained parameters, put together from the flat partitions of all data-parallel ranks. */
final class Partitions {
  private final ModelStates model;
  private final List<RankFile> files;
  private final List<OptimizerStates> ranks;
  private final String modelPlace;
  private final ExpertWeights experts;
  private final Map<String, Shape> trained;

  /**
   * @param model what the first rank's model states say
   * @param files the optimizer states files, in rank order
   * @param ranks what they say
   * @param modelPlace the first rank's model states file, for messages
   * @param experts what the files of experts hold
   */
  Partitions(
      ModelStates model,
      List<RankFile> files,
      List<OptimizerStates> ranks,
      String modelPlace,
      ExpertWeights experts) {
    this.model = model;
    this.files = files;
    this.ranks = ranks;
    this.modelPlace = modelPlace;
    this.experts = experts;
    this.trained = model.trained();
  }

  /**
   * Adds the parameters, group after group.
   *
   * @throws ReweaveException if nothing tells what lies where, or sizes do not add up
   */
  void addTo(StateDict dict) {
    if (trained.isEmpty()) {
      throw PartitionFailures.noShapes(modelPlace);
    }
    if (ranks.get(0).stage() == 3) {
      addPartitioned(dict);
    } else {
      new FlatPartitions(model, files, ranks, experts).addTo(dict);
    }
  }

  private void add(StateDict dict, List<List<NamedTensor>> byExpertRank) {
    new ExpertMasters(experts, files.get(0).file().uri()).unite(byExpertRank).forEach(dict::add);
  }

  /**
   * ZeRO-3: each rank holds an equal slice of every parameter, at the same offset; of experts, each
   * of the ranks that have the same.
   */
  private void addPartitioned(StateDict dict) {
    List<FlatBuffer> buffers = ranks.stream().map(r -> new FlatBuffer(r.flat())).toList();
    long needed = 0;
    for (Map.Entry<String, Shape> e : trained.entrySet()) {
      int sharing = buffers.size() / expertRanks(e.getKey());
      needed = Math.addExact(needed, PartitionedLayout.sliceOf(e.getValue().elements(), sharing));
    }
    for (int r = 0; r < buffers.size(); r++) {
      if (buffers.get(r).elements() != needed) {
        throw PartitionFailures.rankDoesNotFit(
            needed, r, buffers.size(), buffers.get(r).elements(), files.get(r).file().uri());
      }
    }
    Map<Integer, List<RankBuffers>> sharedBy = new HashMap<>();
    long offset = 0;
    for (Map.Entry<String, Shape> e : trained.entrySet()) {
      long elements = e.getValue().elements();
      List<RankBuffers> sharing =
          sharedBy.computeIfAbsent(expertRanks(e.getKey()), n -> sharing(n, buffers));
      List<List<NamedTensor>> byExpertRank = new ArrayList<>();
      for (RankBuffers same : sharing) {
        byExpertRank.add(List.of(named(e, new PartitionedLayout(same, offset, elements))));
      }
      add(dict, byExpertRank);
      offset += PartitionedLayout.sliceOf(elements, sharing.get(0).count());
    }
  }

  /** How many sets of experts a parameter has: 1 unless it is partitioned among some ranks only. */
  private int expertRanks(String name) {
    long sets = experts.experts().stackOf(name).map(Experts.Stack::ranks).orElse(1L);
    if (sets < 1 || ranks.size() % sets != 0) {
      throw PartitionFailures.expertRanks(sets, ranks.size(), modelPlace);
    }
    return (int) sets;
  }

  /** The buffers of the ranks that have the same experts, for each set of experts. */
  private List<RankBuffers> sharing(int expertRanks, List<FlatBuffer> buffers) {
    List<RankBuffers> sharing = new ArrayList<>();
    for (int e = 0; e < expertRanks; e++) {
      List<Integer> same = experts.experts().ranksOf(e, expertRanks, buffers.size());
      sharing.add(new RankBuffers(same.stream().map(buffers::get).toList()));
    }
    return sharing;
  }

  private static NamedTensor named(Map.Entry<String, Shape> e, Layout layout) {
    return new NamedTensor(new TensorSpec(e.getKey(), layout.dtype(), e.getValue()), layout);
  }
}
