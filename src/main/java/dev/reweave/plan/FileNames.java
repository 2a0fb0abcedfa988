package dev.reweave.plan;

import java.util.Locale;
import java.util.Optional;

/**
 * Names of the files of one model's weights, as diffusers and transformers build and look for them.
 *
 * @param folder in the output, with its {@code /}; empty for the output itself
 * @param weightsName such as {@code diffusion_pytorch_model}
 * @param variant such as {@code fp16}
 * @param format kind of the files
 */
public record FileNames(
    String folder, String weightsName, Optional<String> variant, Format format) {
  /** Checks that the names can be names. */
  public FileNames {
    requireName(weightsName);
    variant.ifPresent(FileNames::requireName);
    if (!folder.isEmpty() && !folder.endsWith("/")) {
      throw new IllegalArgumentException("folder " + folder + " without a slash at its end");
    }
  }

  static void requireName(String name) {
    if (!name.matches("[A-Za-z0-9_][A-Za-z0-9_.-]*")) {
      throw new IllegalArgumentException("'" + name + "' cannot begin a file name");
    }
  }

  /**
   * File name of a shard, without its folder.
   *
   * @param number from 1
   * @param count of all shards
   */
  public String shard(int number, int count) {
    String which = count == 1 ? "" : String.format(Locale.ROOT, "-%05d-of-%05d", number, count);
    return weightsName + variant.map(v -> "." + v).orElse("") + which + format.suffix();
  }

  /** File name of the index, without its folder. */
  public String index() {
    String dotted = variant.map(v -> "." + v).orElse("");
    return weightsName + format.suffix() + ".index" + dotted + ".json";
  }

  /** Path in the output of a file of this name. */
  public String path(String fileName) {
    return folder + fileName;
  }
}
