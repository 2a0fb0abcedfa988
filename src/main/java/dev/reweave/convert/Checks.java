package dev.reweave.convert;

import dev.reweave.checkpoint.Unfamiliar;
import dev.reweave.storage.FileDigest;

/**
 * What is checked of a checkpoint, and of a result before it is published, beside what always is.
 * It changes no byte of the weights.
 */
public record Checks(
    ReadBack readBack, FileDigest.Wanted digest, Nonfinite nonfinite, Unfamiliar unfamiliar) {
  /** What is done if nothing else is asked for. */
  public static final Checks DEFAULTS =
      new Checks(ReadBack.OBJECT_STORES, FileDigest.Wanted.CRC32C, Nonfinite.WARN);

  /** Checks of a result alone. */
  public Checks(ReadBack readBack, FileDigest.Wanted digest, Nonfinite nonfinite) {
    this(readBack, digest, nonfinite, Unfamiliar.TELL);
  }

  /** The same, with this answer to what is not known of the checkpoint. */
  public Checks withUnfamiliar(Unfamiliar answer) {
    return new Checks(readBack, digest, nonfinite, answer);
  }

  /** Where the output is read again and compared with what was written. */
  public enum ReadBack {
    OBJECT_STORES,
    ALWAYS,
    NEVER
  }

  /** What NaNs and infinities in the weights lead to. */
  public enum Nonfinite {
    FAIL,
    WARN,
    IGNORE
  }
}
