package dev.reweave.checkpoint.deepspeed;

import dev.reweave.common.ReweaveException;
import dev.reweave.tensor.Shape;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The shapes of the trained parameters where DeepSpeed before 0.6 kept them: {@code param_shapes}
 * beside {@code optimizer_state_dict} in each optimizer states file, a list of dicts since 0.5.4
 * and one dict of all groups before ({@code DeepSpeedEngine._save_zero_checkpoint}).
 */
final class OldShapes {
  private OldShapes() {}

  /**
   * What the model states say, completed.
   *
   * @param place an optimizer states file, for messages
   * @throws ReweaveException if the order of the parameters cannot be known
   */
  static ModelStates in(ModelStates model, List<OptimizerStates> ranks, String place) {
    List<Map<String, Shape>> shapes = ranks.get(0).shapes();
    if (!model.groups().isEmpty() || shapes.isEmpty()) {
      return model;
    }
    if (!DeepSpeedVersion.of(model.run().version()).isSince(0, 4, 4)) {
      // 0.4.3 left out that ZeRO-2 shuffles parameters; older ones list the module's order.
      throw PartitionFailures.orderNotSaved(ranks.get(0).stage(), place);
    }
    boolean split = ranks.get(0).stage() != 3 && shapes.size() == 1;
    return model.withGroups(split ? byGroup(shapes.get(0), ranks, place) : shapes);
  }

  /** Cuts one dict where the flat groups end, which have no padding in these versions. */
  private static List<Map<String, Shape>> byGroup(
      Map<String, Shape> all, List<OptimizerStates> ranks, String place) {
    List<Map<String, Shape>> groups = new ArrayList<>();
    var rest = new ArrayList<>(all.entrySet());
    for (int g = 0; g < ranks.get(0).flat().size(); g++) {
      int group = g;
      long left = ranks.stream().mapToLong(r -> r.flat().get(group).elements()).sum();
      Map<String, Shape> shapes = new LinkedHashMap<>();
      while (left > 0 && !rest.isEmpty()) {
        var next = rest.remove(0);
        left -= next.getValue().elements();
        shapes.put(next.getKey(), next.getValue());
      }
      if (left != 0) {
        throw PartitionFailures.groupsEndElsewhere(place);
      }
      groups.add(shapes);
    }
    if (!rest.isEmpty()) {
      throw PartitionFailures.groupsEndElsewhere(place);
    }
    return groups;
  }
}
