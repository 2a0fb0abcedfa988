package dev.reweave.checkpoint.deepspeed;

import dev.reweave.ReweaveException;
import dev.reweave.tensor.FlatBuffer;
import dev.reweave.tensor.FlatLayout;
import dev.reweave.tensor.Layout;
import dev.reweave.tensor.NamedTensor;
import dev.reweave.tensor.PartitionedLayout;
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
      throw ReweaveException.unsupported(
          "no 'param_shapes', so nothing tells what lies where in the flat partitions",
          modelPlace,
          "convert the module's own weights with --weights model");
    }
    if (ranks.get(0).stage() == 3) {
      addPartitioned(dict);
    } else {
      addFlat(dict);
    }
  }

  /** ZeRO-1 and 2: per group, the ranks' partitions end to end, parameters one after another. */
  private void addFlat(StateDict dict) {
    List<Map<String, Shape>> groups = model.groups();
    int partitions = ranks.get(0).flat().size();
    if (groups.size() != partitions) {
      throw MasterWeights.sizes(
          groups.size() + " groups of parameter shapes, but " + partitions + " of partitions",
          files.get(0).file().uri());
    }
    for (int g = 0; g < groups.size(); g++) {
      int group = g;
      List<List<NamedTensor>> byExpertRank = new ArrayList<>();
      int expertRanks = expertRanks(g);
      for (int e = 0; e < expertRanks; e++) {
        List<Integer> sharing = experts.experts().ranksOf(e, expertRanks, ranks.size());
        FlatBuffer buffer =
            new FlatBuffer(sharing.stream().map(r -> ranks.get(r).flat().get(group)).toList());
        requireEven(g, sharing, buffer);
        byExpertRank.add(flat(g, sharing.size(), buffer));
      }
      add(dict, byExpertRank);
    }
  }

  /**
   * All ranks have as much of a group, but for padding that is cut off at its end: another length
   * in between would shift all that follows.
   */
  private void requireEven(int group, List<Integer> sharing, FlatBuffer buffer) {
    long needed = 0;
    for (Shape shape : model.groups().get(group).values()) {
      needed = Math.addExact(needed, shape.elements());
    }
    long length = buffer.pieces().get(0).elements();
    long start = 0;
    for (int i = 0; i < sharing.size() && start < needed; i++) {
      long own = buffer.pieces().get(i).elements();
      if (own > length || (own < length && start + own < needed)) {
        throw MasterWeights.sizes(
            "the partition of group "
                + group
                + " has "
                + own
                + " elements, and that of the first rank "
                + length,
            files.get(sharing.get(i)).file().uri());
      }
      start += own;
    }
  }

  /** How many sets of experts a group has: one for each data-parallel rank that is no partition. */
  private int expertRanks(int group) {
    List<Long> counts = ranks.get(0).partitionCounts();
    return experts.isEmpty() || counts.size() <= group
        ? 1
        : Math.toIntExact(ranks.size() / counts.get(group));
  }

  private void add(StateDict dict, List<List<NamedTensor>> byExpertRank) {
    List<NamedTensor> whole =
        byExpertRank.size() == 1
            ? byExpertRank.get(0)
            : new ExpertMasters(experts, files.get(0).file().uri()).unite(byExpertRank);
    whole.forEach(dict::add);
  }

  private List<NamedTensor> flat(int group, int partitions, FlatBuffer buffer) {
    Map<String, Shape> shapes = model.groups().get(group);
    long needed = 0;
    for (Shape shape : shapes.values()) {
      needed = Math.addExact(needed, shape.elements());
    }
    requireFit(group, partitions, needed, buffer.elements());
    List<NamedTensor> parameters = new ArrayList<>();
    long start = 0;
    for (Map.Entry<String, Shape> e : shapes.entrySet()) {
      long elements = e.getValue().elements();
      parameters.add(named(e, new FlatLayout(buffer, start, elements)));
      start += elements;
    }
    return parameters;
  }

  /** The tail of a group is padded to twice the world size, and sometimes already cut off. */
  private void requireFit(int group, int partitions, long needed, long available) {
    long align = 2L * partitions;
    if (available < needed || available - needed >= align) {
      throw MasterWeights.sizes(
          "the parameters of group "
              + group
              + " have "
              + needed
              + " elements, and the "
              + partitions
              + " ranks' partitions "
              + available,
          files.get(0).file().uri());
    }
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
        throw MasterWeights.sizes(
            "the parameters take "
                + needed
                + " elements of each rank, and rank "
                + (r + 1)
                + " of "
                + buffers.size()
                + " holds "
                + buffers.get(r).elements(),
            files.get(r).file().uri());
      }
    }
    Map<Integer, List<List<FlatBuffer>>> sharedBy = new HashMap<>();
    long offset = 0;
    for (Map.Entry<String, Shape> e : trained.entrySet()) {
      long elements = e.getValue().elements();
      List<List<FlatBuffer>> sharing =
          sharedBy.computeIfAbsent(expertRanks(e.getKey()), n -> sharing(n, buffers));
      List<List<NamedTensor>> byExpertRank = new ArrayList<>();
      for (List<FlatBuffer> same : sharing) {
        byExpertRank.add(List.of(named(e, new PartitionedLayout(same, offset, elements))));
      }
      add(dict, byExpertRank);
      offset += PartitionedLayout.sliceOf(elements, sharing.get(0).size());
    }
  }

  /** How many sets of experts a parameter has: 1 unless it is partitioned among some ranks only. */
  private int expertRanks(String name) {
    long sets = experts.experts().stackOf(name).map(Experts.Stack::ranks).orElse(1L);
    if (sets < 1 || ranks.size() % sets != 0) {
      throw MasterWeights.sizes(
          sets + " expert-parallel ranks among " + ranks.size() + " data-parallel ones",
          modelPlace);
    }
    return (int) sets;
  }

  /** The buffers of the ranks that have the same experts, for each set of experts. */
  private List<List<FlatBuffer>> sharing(int expertRanks, List<FlatBuffer> buffers) {
    List<List<FlatBuffer>> sharing = new ArrayList<>();
    for (int e = 0; e < expertRanks; e++) {
      List<Integer> same = experts.experts().ranksOf(e, expertRanks, buffers.size());
      sharing.add(same.stream().map(buffers::get).toList());
    }
    return sharing;
  }

  private static NamedTensor named(Map.Entry<String, Shape> e, Layout layout) {
    return new NamedTensor(new TensorSpec(e.getKey(), layout.dtype(), e.getValue()), layout);
  }
}
