package dev.reweave.checkpoint;

import dev.reweave.common.Option;

/** What becomes of a checkpoint that holds something that this version does not know. */
public enum Unfamiliar {
  /** It is read, and told of. */
  TELL,
  /** It is refused. */
  REFUSE;

  /** What was asked for. */
  public static final Option<Unfamiliar> STRICT =
      Option.flag("strict", TELL, REFUSE)
          .about(Option.Part.CONVERSION)
          .recordedAs("unfamiliar")
          .under(Option.Theme.CHECKS)
          .help(
              "Take it as an error, and no warning, if the checkpoint has keys that are not known"
                  + " and may change where weights lie, or is of a version newer than those that"
                  + " were tested.")
          .more(": see [what is not known](trust.md#what-is-not-known)");
}
