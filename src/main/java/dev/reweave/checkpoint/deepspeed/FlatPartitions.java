package dev.reweave.checkpoint.deepspeed;

import dev.reweave.checkpoint.deepspeed.FlatAccount.Fragment;
import dev.reweave.common.ReweaveException;
import dev.reweave.tensor.FlatBuffer;
import dev.reweave.tensor.FlatLayout;
import dev.reweave.tensor.NamedTensor;
import dev.reweave.tensor.Shape;
import dev.reweave.tensor.TensorSpec;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The trained parameters of ZeRO-1 and 2: per group, the ranks' partitions end to end, with the
 * parameters in them one after another.
 *
 * <p>Files since DeepSpeed 0.6 say for themselves what each partition holds of which parameter
 * ({@link FlatAccount}), and that has to be what names, shapes and gaps come to. One account is
 * known to be wrong: with {@code round_robin_gradients}, DeepSpeed up to 0.19.8 counts the
 * parameters in the module's order where they lie in another ({@code link_hp_params} walks {@code
 * bit16_groups}, not {@code round_robin_bit16_groups}), unless there are gaps.
 */
final class FlatPartitions {
  private final ModelStates model;
  private final List<RankFile> files;
  private final List<OptimizerStates> ranks;
  private final ExpertWeights experts;

  /** As of {@link Partitions}. */
  FlatPartitions(
      ModelStates model, List<RankFile> files, List<OptimizerStates> ranks, ExpertWeights experts) {
    this.model = model;
    this.files = files;
    this.ranks = ranks;
    this.experts = experts;
  }

  /**
   * Adds the parameters, group after group.
   *
   * @throws ReweaveException if sizes do not add up, or it is not clear where a parameter lies
   */
  void addTo(StateDict dict) {
    List<Map<String, Shape>> groups = model.groups();
    int partitions = ranks.get(0).flat().size();
    if (groups.size() != partitions) {
      throw PartitionFailures.groupsDiffer(groups.size(), partitions, files.get(0).file().uri());
    }
    for (int g = 0; g < groups.size(); g++) {
      int group = g;
      FlatOrder order =
          new FlatOrder(
              g, groups.get(g), ranks.get(0).account().gapsOf(g), files.get(0).file().uri());
      List<List<NamedTensor>> byExpertRank = new ArrayList<>();
      int expertRanks = expertRanks(g);
      for (int e = 0; e < expertRanks; e++) {
        List<Integer> sharing = experts.experts().ranksOf(e, expertRanks, ranks.size());
        FlatBuffer buffer =
            new FlatBuffer(sharing.stream().map(r -> ranks.get(r).flat().get(group)).toList());
        requireEven(g, sharing, buffer, order);
        requireFit(g, sharing.size(), order, buffer.elements());
        requireAccounts(g, sharing, buffer, order);
        byExpertRank.add(parameters(groups.get(g), order, buffer));
      }
      new ExpertMasters(experts, files.get(0).file().uri()).unite(byExpertRank).forEach(dict::add);
    }
  }

  /** How many sets of experts a group has: one for each data-parallel rank that is no partition. */
  private int expertRanks(int group) {
    List<Long> counts = ranks.get(0).partitionCounts();
    return experts.isEmpty() || counts.size() <= group
        ? 1
        : Math.toIntExact(ranks.size() / counts.get(group));
  }

  /**
   * All ranks have as much of a group, but for padding that is cut off at its end: another length
   * in between would shift all that follows.
   */
  private void requireEven(int group, List<Integer> sharing, FlatBuffer buffer, FlatOrder order) {
    long length = buffer.pieces().get(0).elements();
    long start = 0;
    for (int i = 0; i < sharing.size() && start < order.end(); i++) {
      long own = buffer.pieces().get(i).elements();
      if (own > length || (own < length && start + own < order.end())) {
        throw PartitionFailures.unevenPartition(
            group, own, length, files.get(sharing.get(i)).file().uri());
      }
      start += own;
    }
  }

  /** The tail of a group is padded to twice the world size, and sometimes already cut off. */
  private void requireFit(int group, int partitions, FlatOrder order, long available) {
    long align = 2L * partitions;
    if (available < order.end() || available - order.end() >= align) {
      throw PartitionFailures.groupDoesNotFit(
          group, order.end(), partitions, available, files.get(0).file().uri());
    }
  }

  private void requireAccounts(
      int group, List<Integer> sharing, FlatBuffer buffer, FlatOrder order) {
    boolean inModuleOrder =
        model.run().setup().roundRobin()
            && ranks.get(0).account().gapsOf(group).stream().noneMatch(gap -> gap > 0);
    if (inModuleOrder) {
      return;
    }
    long length = buffer.pieces().get(0).elements();
    for (int i = 0; i < sharing.size(); i++) {
      int rank = sharing.get(i);
      Optional<Map<String, Fragment>> listed = ranks.get(rank).account().fragmentsOf(group);
      if (listed.isPresent()) {
        order.require(listed.get(), i * length, length, files.get(rank).file().uri());
      }
    }
  }

  private static List<NamedTensor> parameters(
      Map<String, Shape> shapes, FlatOrder order, FlatBuffer buffer) {
    List<NamedTensor> parameters = new ArrayList<>();
    shapes.forEach(
        (name, shape) ->
            parameters.add(
                new NamedTensor(
                    new TensorSpec(name, buffer.dtype(), shape),
                    new FlatLayout(buffer, order.start(name), shape.elements()))));
    return parameters;
  }
}
