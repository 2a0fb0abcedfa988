package dev.reweave.plan;

/** Kinds of weight files. */
public enum Format {
  /** {@code model.safetensors}. */
  SAFETENSORS(".safetensors", "model"),
  /** {@code pytorch_model.bin}, as {@code torch.save} writes it. */
  BIN(".bin", "pytorch_model");

  private final String suffix;
  private final String weightsName;

  Format(String suffix, String weightsName) {
    this.suffix = suffix;
    this.weightsName = weightsName;
  }

  /** End of the files' names, with its dot. */
  public String suffix() {
    return suffix;
  }

  /** What the first part of the files' names is by custom. */
  public String weightsName() {
    return weightsName;
  }
}
