package dev.reweave.convert;

import dev.reweave.checkpoint.Unfamiliar;
import dev.reweave.common.Option;
import dev.reweave.common.Options;
import dev.reweave.storage.FileDigest;
import java.util.List;

/**
 * What is checked of a checkpoint, and of a result before it is published, beside what always is.
 * It changes no byte of the weights.
 */
public record Checks(
    ReadBack readBack, FileDigest.Wanted digest, Nonfinite nonfinite, Unfamiliar unfamiliar) {
  private static final Option<Nonfinite> ON_NONFINITE =
      Option.choice("on-nonfinite", Nonfinite.WARN)
          .about(Option.Part.CONVERSION)
          .under(Option.Theme.CHECKS)
          .help(
              "What NaNs and infinities in the weights lead to: an error and no result, a warning"
                  + " (default), or nothing.")
          .more(": see [values](trust.md#values)");

  private static final Option<ReadBack> VERIFY =
      Option.toggle("verify", ReadBack.UNCHECKED_BY_STORE, ReadBack.NEVER, ReadBack.ALWAYS)
          .about(Option.Part.CONVERSION)
          .under(Option.Theme.CHECKS)
          .help(
              "Read the result back and compare it with what was written before its index is"
                  + " published; by default where the output is in an object store that does not"
                  + " check what arrives.");

  private static final Option<FileDigest.Wanted> SHA256 =
      Option.flag("sha256", FileDigest.Wanted.CRC32C, FileDigest.Wanted.SHA256)
          .about(Option.Part.CONVERSION)
          .under(Option.Theme.CHECKS)
          .help("Put the SHA-256 of each file into the manifest, as the Hugging Face Hub shows it.")
          .more("; reads the result once");

  /** Its options. */
  public static final List<Option<?>> OPTIONS =
      List.of(ON_NONFINITE, Unfamiliar.STRICT, VERIFY, SHA256);

  /** What was given. */
  public static Checks of(Options options) {
    return new Checks(
        options.of(VERIFY),
        options.of(SHA256),
        options.of(ON_NONFINITE),
        options.of(Unfamiliar.STRICT));
  }

  /** What is done if nothing else is asked for. */
  public static final Checks DEFAULTS =
      new Checks(ReadBack.UNCHECKED_BY_STORE, FileDigest.Wanted.CRC32C, Nonfinite.WARN);

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
    /** In object stores, unless they compared all parts with checksums as they came. */
    UNCHECKED_BY_STORE,
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
