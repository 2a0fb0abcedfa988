package dev.reweave.target.base;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;
import java.util.Set;

/**
 * Lets a {@code config.json} say nothing of a moving average. {@code EMAModel.save_pretrained} of
 * diffusers ({@code training_utils.py}) adds its own numbers to the model's, for {@code
 * EMAModel.from_pretrained}: as a model of its own the average has none of them.
 */
public final class ConfigAverage {
  /** All of {@code EMAModel.state_dict()} but the weights. */
  private static final Set<String> KEYS =
      Set.of(
          "decay",
          "min_decay",
          "optimization_step",
          "update_after_step",
          "use_ema_warmup",
          "inv_gamma",
          "power");

  /** Together they are no model's: one alone may be. */
  private static final List<String> TOGETHER =
      List.of("decay", "optimization_step", "update_after_step", "use_ema_warmup");

  private ConfigAverage() {}

  /**
   * The config without the numbers of an average; the same bytes if it has none.
   *
   * @param json bytes of a config
   * @param place address of the config, for messages
   * @throws dev.reweave.common.ReweaveException if the config is not sound JSON
   */
  public static byte[] drop(byte[] json, String place) {
    JsonNode config = ConfigJson.object(json, place);
    return TOGETHER.stream().allMatch(config::has)
        ? ConfigMembers.without(json, place, (depth, key) -> depth == 1 && KEYS.contains(key))
        : json;
  }
}
