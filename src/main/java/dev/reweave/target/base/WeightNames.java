package dev.reweave.target.base;

import java.util.Locale;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * How the weight files of a model are called, as {@code save_pretrained} of diffusers ({@code
 * models/modeling_utils.py}, {@code _add_variant}) and transformers calls them.
 *
 * @param stem {@code diffusion_pytorch_model} or {@code model}, or what somebody chose
 * @param variant such as {@code fp16}, or empty
 * @param suffix {@code safetensors} or {@code bin}
 */
public record WeightNames(String stem, Optional<String> variant, String suffix) {
  /** The suffix of safetensors files, without its dot. */
  static final String SAFETENSORS = "safetensors";

  private static final Pattern VARIANT = Pattern.compile("[A-Za-z0-9_-]+");

  public WeightNames {
    if (stem.isEmpty() || suffix.isEmpty()) {
      throw new IllegalArgumentException("empty name of weights: '" + stem + "." + suffix + "'");
    }
    variant.ifPresent(WeightNames::requireVariant);
  }

  /** Names of safetensors files. */
  public static WeightNames of(String stem, Optional<String> variant) {
    return new WeightNames(stem, variant, SAFETENSORS);
  }

  /** The names that {@code torch.save} files of the same model have. */
  public WeightNames asBin() {
    return new WeightNames(stem.equals("model") ? "pytorch_model" : stem, variant, "bin");
  }

  /** Name of the file of a model that is not sharded. */
  public String single() {
    return prefix() + "." + suffix;
  }

  /**
   * Name of one shard.
   *
   * @param number from 1
   * @param count of all shards
   */
  public String shard(int number, int count) {
    if (number < 1 || number > count) {
      throw new IllegalArgumentException("shard " + number + " of " + count);
    }
    return String.format(Locale.ROOT, "%s-%05d-of-%05d.%s", prefix(), number, count, suffix);
  }

  /** Name of the index, which has the variant in another place. */
  public String index() {
    return stem + "." + suffix + ".index" + variant.map(v -> "." + v).orElse("") + ".json";
  }

  private String prefix() {
    return stem + variant.map(v -> "." + v).orElse("");
  }

  private static void requireVariant(String variant) {
    if (!VARIANT.matcher(variant).matches()) {
      throw BaseFailures.notVariant(variant);
    }
  }
}
