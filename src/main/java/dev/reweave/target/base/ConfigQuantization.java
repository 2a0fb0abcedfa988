package dev.reweave.target.base;

import java.util.Set;

/**
 * Lets a {@code config.json} say nothing of a quantization that the weights no longer have: loaders
 * would take them for what it says. Nothing else in the file changes.
 */
public final class ConfigQuantization {
  private static final Set<String> KEYS = Set.of("quantization_config", "compression_config");

  private ConfigQuantization() {}

  /**
   * The config without {@code quantization_config}, at the top and in configs that are nested in
   * it, such as {@code text_config}; the same bytes if it has none.
   *
   * @param json bytes of a config
   * @param place address of the config, for messages
   * @throws dev.reweave.common.ReweaveException if the config is not sound JSON
   */
  public static byte[] drop(byte[] json, String place) {
    return ConfigMembers.without(json, place, (depth, key) -> KEYS.contains(key));
  }
}
