package dev.reweave.checkpoint.deepspeed;

import dev.reweave.common.ReweaveException;
import dev.reweave.format.pytorch.TorchValue;
import dev.reweave.tensor.PiecedSlicing;
import java.util.List;
import java.util.Optional;
import java.util.stream.LongStream;

/**
 * Which rank has which experts of a layer of AutoEP, as DeepSpeed notes it since 0.19.7 ({@code
 * deepspeed/checkpoint/autoep_affine.py}): {@code expert_placement} by number, {@code affine_maps}
 * by element. Up to 0.19.8 it places them in one way alone, equal shares in order, which is what
 * files and partitions are read by; of any other it writes no checkpoint that could be tried.
 */
final class ExpertPlacement {
  private static final String PLACEMENT = "expert_placement";
  private static final String MAPS = "affine_maps";

  private final TorchValue layer;
  private final String prefix;
  private final long experts;
  private final long ranks;

  /**
   * @param layer an entry of {@code ds_autoep_layers}
   * @param prefix what the names of its parameters begin with, for messages
   * @param experts in the whole layer
   * @param ranks that share them
   */
  ExpertPlacement(TorchValue layer, String prefix, long experts, long ranks) {
    this.layer = layer;
    this.prefix = prefix;
    this.experts = experts;
    this.ranks = ranks;
  }

  /**
   * Requires equal shares in order, of a layer that notes how it is.
   *
   * @throws ReweaveException if it notes something else
   */
  void requireEven() {
    layer.find(PLACEMENT).filter(value -> !value.isNone()).ifPresent(this::requireEvenNumbers);
    layer.find(MAPS).filter(value -> !value.isNone()).ifPresent(this::requireEvenPieces);
  }

  private void requireEvenNumbers(TorchValue placement) {
    requireVersion(placement, PLACEMENT);
    List<TorchValue> entries = placement.at("ranks").items();
    if (placement.at("num_experts").integer() != experts
        || placement.at("ep_size").integer() != ranks
        || entries.size() != ranks) {
      throw ExpertFailures.otherCounts(prefix, placement.place());
    }
    for (int i = 0; i < entries.size(); i++) {
      long rank = entries.get(i).at("rank").integer();
      List<Long> numbers =
          entries.get(i).at("experts").items().stream().map(TorchValue::integer).toList();
      List<Long> even =
          LongStream.range(experts / ranks * i, experts / ranks * (i + 1)).boxed().toList();
      if (rank != i || experts % ranks != 0 || !numbers.equals(even)) {
        throw ExpertFailures.otherExperts(prefix, rank, numbers, placement.place());
      }
    }
  }

  private void requireEvenPieces(TorchValue maps) {
    requireVersion(maps, MAPS);
    AffineMaps read = AffineMaps.of(layer, MAPS);
    read.unreadable().values().stream()
        .findFirst()
        .ifPresent(
            why -> {
              throw ExpertFailures.brokenMap(prefix, why, maps.place());
            });
    for (PiecedSlicing pieces : read.maps().values()) {
      boolean whole = pieces.shape().rank() > 0 && pieces.shape().dim(0) == experts;
      if (!whole || pieces.shares().size() != ranks || !pieces.areEvenShares()) {
        throw ExpertFailures.otherPieces(prefix, maps.place());
      }
    }
  }

  private void requireVersion(TorchValue value, String key) {
    Optional<TorchValue> version = value.find("version");
    if (version.filter(v -> v.integer() == 1).isEmpty()) {
      throw version.isEmpty()
          ? ExpertFailures.noVersion(prefix, key, value.place())
          : ExpertFailures.otherVersion(prefix, key, version.get().integer(), value.place());
    }
  }
}
