package dev.reweave.checkpoint.foreign;

import dev.reweave.common.ReweaveException;

/** What is said of files of other frameworks. */
final class ForeignFailures {
  private ForeignFailures() {}

  /** A folder with a model of another framework alone. */
  static ReweaveException notRead(String writer, String place) {
    return ReweaveException.unsupported(
        "weights of " + writer + ", which are not read",
        place,
        "save them as safetensors with the library that reads them, and name the result");
  }
}
