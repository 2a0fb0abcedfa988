package dev.reweave.checkpoint.quantized;

import dev.reweave.common.JsonReader;
import dev.reweave.common.ReweaveException;

/** What is said of quantized weights that are not undone. */
final class QuantizationFailures {
  private QuantizationFailures() {}

  /** The {@code config.json} beside the weights is damaged. */
  static ReweaveException brokenConfig(String place, JsonReader.Broken cause) {
    return new ReweaveException(
        "the config of quantized weights is no sound JSON (" + cause.detail() + ")",
        place,
        "copy the file again from its source, or correct it",
        cause);
  }

  /**
   * Codes or scales that are not known, or a damaged {@code config.json} beside them.
   *
   * @param kinds what they are, with names of some tensors
   */
  static ReweaveException notUndone(String kinds, String place) {
    return ReweaveException.unsupported(
        "the weights are quantized in a way that is not undone: " + kinds,
        place,
        "keep them as they are: --dtype keep");
  }

  /** The same of a part of a model, whose scales may be in another. */
  static ReweaveException withoutScales(String kinds, String place) {
    return ReweaveException.unsupported(
        "the weights are quantized in a way that is not undone: " + kinds,
        place,
        "name the folder with all files of the model; or keep them as they are: --dtype keep");
  }
}
