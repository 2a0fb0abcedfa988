package dev.reweave.checkpoint;

/** What becomes of a checkpoint that holds something that this version does not know. */
public enum Unfamiliar {
  /** It is read, and told of. */
  TELL,
  /** It is refused. */
  REFUSE
}
