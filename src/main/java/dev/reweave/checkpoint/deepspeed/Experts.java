package dev.reweave.checkpoint.deepspeed;

import dev.reweave.format.pytorch.TorchValue;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What model states say of experts, as {@code DeepSpeedEngine._save_moe_checkpoint} writes it.
 *
 * @param counts number of experts of each layer that has some; empty for a model without experts
 * @param stacks layers whose experts lie in common tensors
 * @param dataFirst whether ranks with the same experts are neighbours, and not those with different
 *     ones ({@code use_data_before_expert_parallelism})
 */
record Experts(List<Long> counts, List<Stack> stacks, boolean dataFirst) implements Serializable {
  private static final List<String> STACKED = List.of(".w1", ".w2", ".w3");

  /**
   * A layer of AutoEP: one tensor for all experts that a rank has, each an index of its first
   * dimension.
   *
   * @param layer counts the layers that have experts, from 0
   * @param prefix what the names of its three parameters begin with, such as {@code mlp.experts}
   * @param experts in the whole layer
   * @param ranks that share them
   * @param partitioned whether ZeRO-3 partitions them, so that they have no files of their own
   */
  record Stack(int layer, String prefix, long experts, long ranks, boolean partitioned)
      implements Serializable {
    private static Stack of(TorchValue entry) {
      String prefix = entry.at("expert_key_prefix").text();
      long experts = entry.at("num_experts").integer();
      long ranks = entry.at("ep_size").integer();
      new ExpertPlacement(entry, prefix, experts, ranks).requireEven();
      return new Stack(
          layer(entry.at("moe_layer_id")),
          prefix,
          experts,
          ranks,
          entry
              .find("checkpoint_format")
              .filter(TorchValue::isText)
              .filter(v -> v.text().equals("zero3_partitioned"))
              .isPresent());
    }

    private static int layer(TorchValue number) {
      long layer = number.integer();
      if (layer < 0 || layer > Integer.MAX_VALUE) {
        throw ExpertFailures.noSuchLayer(layer, number.place());
      }
      return (int) layer;
    }

    /** The names of its parameters. */
    List<String> names() {
      return STACKED.stream().map(prefix::concat).toList();
    }

    /** What the names of all parameters of the layer begin with, those of its router among them. */
    String around() {
      return prefix.substring(0, prefix.lastIndexOf('.') + 1);
    }
  }

  static Experts of(TorchValue root) {
    Optional<TorchValue> layers =
        root.find("ds_autoep_layers")
            .filter(TorchValue::isSequence)
            .or(() -> root.find("autoep_layers").filter(TorchValue::isSequence));
    List<Stack> stacks = new ArrayList<>();
    layers.ifPresent(list -> list.items().forEach(entry -> stacks.add(Stack.of(entry))));
    if (!stacks.isEmpty() && root.find("folding").isPresent()) {
      throw ExpertFailures.folded(root.place());
    }
    return new Experts(counts(root.find("num_experts")), stacks, dataFirst(root));
  }

  /** A number for each layer; versions before 0.6 wrote one for all. */
  private static List<Long> counts(Optional<TorchValue> value) {
    if (value.filter(TorchValue::isInteger).isPresent()) {
      return List.of(value.get().integer());
    }
    return value
        .filter(TorchValue::isSequence)
        .map(v -> v.items().stream().map(TorchValue::integer).toList())
        .orElse(List.of());
  }

  private static boolean dataFirst(TorchValue root) {
    return root.find("ds_config")
        .filter(TorchValue::isDict)
        .flatMap(c -> c.find("use_data_before_expert_parallelism"))
        .filter(TorchValue::isTruth)
        .map(TorchValue::truth)
        .orElse(false);
  }

  boolean isEmpty() {
    return counts.isEmpty();
  }

  /** The layer of a parameter that all experts of a rank share; empty for any other name. */
  Optional<Stack> stackOf(String name) {
    return stacks.stream().filter(s -> s.names().contains(name)).findFirst();
  }

  /** Whether a name is that of a parameter of experts. */
  boolean holds(String name) {
    return !isEmpty() && (ExpertName.of(name).isPresent() || stackOf(name).isPresent());
  }

  /** Experts of a layer. */
  long countOf(int layer) {
    return layer >= 0 && layer < counts.size() ? counts.get(layer) : counts.get(0);
  }

  /**
   * The data-parallel ranks that hold the same experts, in the order of their partitions.
   *
   * @param expertRank which experts: rank among the processes that share the layer's experts
   * @param expertRanks how many those are
   * @param dataRanks number of data-parallel ranks, a multiple of it
   */
  List<Integer> ranksOf(int expertRank, int expertRanks, int dataRanks) {
    int copies = dataRanks / expertRanks;
    List<Integer> ranks = new ArrayList<>();
    for (int copy = 0; copy < copies; copy++) {
      ranks.add(dataFirst ? expertRank * copies + copy : copy * expertRanks + expertRank);
    }
    return ranks;
  }
}
