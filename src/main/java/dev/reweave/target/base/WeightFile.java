package dev.reweave.target.base;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What the name of a safetensors file or index says.
 *
 * @param names of the weights that it belongs to
 * @param role what it is of them
 */
record WeightFile(WeightNames names, Role role) {
  enum Role {
    SINGLE,
    SHARD,
    INDEX
  }

  private static final String FORMATS =
      "(?:safetensors|bin|pt|pth|ckpt|msgpack|h5|ot|onnx|onnx_data|gguf|flashpack)";

  private static final Pattern WEIGHTS =
      Pattern.compile(".+\\." + FORMATS + "(?:(?:\\.[^.]+)?\\.index(?:\\.[^.]+)?\\.json)?");

  private static final Pattern PICKLED = Pattern.compile(".+\\.(?:bin|pt|pth|ckpt)");

  private static final String VARIANT = "(?:\\.([A-Za-z0-9_-]+))?";

  // Older releases of diffusers put the variant after the number, and before "index".
  private static final Pattern SHARD =
      Pattern.compile("(.+)-\\d{4,6}-of-\\d{4,6}" + VARIANT + "\\.safetensors");

  private static final Pattern INDEX =
      Pattern.compile("(.+?)\\.safetensors" + VARIANT + "\\.index" + VARIANT + "\\.json");

  // In other names a dot is no sign of a variant.
  private static final Pattern WITH_VARIANT =
      Pattern.compile(
          "(diffusion_pytorch_model|model|pytorch_model|adapter_model)" + "\\.([A-Za-z0-9_-]+)");

  /** Whether this is a file of weights, or an index of some, in any format. */
  static boolean isWeights(String name) {
    return WEIGHTS.matcher(name).matches();
  }

  /** Whether these are weights that only {@code torch.load} reads. */
  static boolean isPickled(String name) {
    return PICKLED.matcher(name).matches();
  }

  static boolean isSafetensors(String name) {
    return name.length() > 12 && name.endsWith("." + WeightNames.SAFETENSORS);
  }

  /** Empty if the file is neither safetensors nor an index of some. */
  static Optional<WeightFile> parse(String name) {
    Matcher index = INDEX.matcher(name);
    if (index.matches()) {
      String variant = index.group(2) == null ? index.group(3) : index.group(2);
      return Optional.of(new WeightFile(names(index.group(1), variant), Role.INDEX));
    }
    if (!isSafetensors(name)) {
      return Optional.empty();
    }
    Matcher shard = SHARD.matcher(name);
    if (!shard.matches()) {
      String all = name.substring(0, name.length() - WeightNames.SAFETENSORS.length() - 1);
      return Optional.of(new WeightFile(split(all), Role.SINGLE));
    }
    String stem = shard.group(1);
    return Optional.of(
        new WeightFile(
            shard.group(2) == null ? split(stem) : names(stem, shard.group(2)), Role.SHARD));
  }

  private static WeightNames split(String name) {
    Matcher known = WITH_VARIANT.matcher(name);
    return known.matches() ? names(known.group(1), known.group(2)) : names(name, null);
  }

  private static WeightNames names(String stem, String variant) {
    return WeightNames.of(stem, Optional.ofNullable(variant));
  }
}
