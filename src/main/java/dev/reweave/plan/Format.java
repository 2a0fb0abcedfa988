package dev.reweave.plan;

import dev.reweave.target.base.WeightNames;
import java.util.Optional;

/** Kinds of weight files. */
public enum Format {
  /** {@code model.safetensors}. */
  SAFETENSORS,
  /** {@code pytorch_model.bin}, as {@code torch.save} writes it. */
  BIN,
  /** What DeepSpeed goes on from with any number of ranks. */
  UNIVERSAL,
  /**
   * {@code .metadata} and {@code __0_0.distcp}, as {@code torch.distributed.checkpoint.save} writes
   * them.
   */
  DCP;

  /**
   * Names of files of this kind, where safetensors would be called {@code stem}. Those of a
   * distributed checkpoint are always the same, see {@link FileNames}.
   */
  public WeightNames names(String stem, Optional<String> variant) {
    WeightNames names = WeightNames.of(stem, variant);
    return this == BIN ? names.asBin() : names;
  }

  /** Names of files of this kind that are called {@code stem}, whatever the custom is. */
  public WeightNames namesOf(String stem, Optional<String> variant) {
    String suffix = this == BIN ? "bin" : "safetensors";
    return new WeightNames(stem, variant, suffix);
  }
}
