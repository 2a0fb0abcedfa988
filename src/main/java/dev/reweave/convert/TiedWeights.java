package dev.reweave.convert;

import dev.reweave.common.ReweaveException;
import dev.reweave.plan.ConversionPlan;
import dev.reweave.tensor.CombinedLayout;
import dev.reweave.tensor.Layout;
import dev.reweave.tensor.MeanLayout;
import dev.reweave.tensor.MovedLayout;
import java.util.List;
import java.util.Map;

/** Refuses to leave out a tensor for another's name that turns out to be another tensor. */
final class TiedWeights {
  private TiedWeights() {}

  /**
   * Looks at weights that a plan has made and nobody sees yet.
   *
   * @param differences by tensor, elements that differ between its copies
   * @throws ReweaveException that names the tensors whose copies are not the same
   */
  static void require(ConversionPlan plan, Map<String, Long> differences) {
    List<String> apart =
        plan.shards().stream()
            .flatMap(shard -> shard.tensors().stream())
            .filter(t -> isTied(t.layout()))
            .map(t -> t.spec().name())
            .filter(name -> differences.getOrDefault(name, 0L) > 0)
            .map(name -> name + " (" + differences.get(name) + ")")
            .toList();
    if (!apart.isEmpty()) {
      throw ConversionFailures.tiedApart(apart, plan.sources().get(0).uri());
    }
  }

  private static boolean isTied(Layout layout) {
    if (layout instanceof MeanLayout mean) {
      return mean.steps().stream().anyMatch(TiedWeights::isTied);
    }
    if (layout instanceof MovedLayout shifted) {
      return isTied(shifted.base());
    }
    return layout instanceof CombinedLayout combined && combined.kind() == CombinedLayout.Kind.TIED;
  }
}
