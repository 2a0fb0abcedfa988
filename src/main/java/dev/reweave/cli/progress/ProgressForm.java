package dev.reweave.cli.progress;

/** How a command tells how far it has come. */
public enum ProgressForm {
  /** A block that changes on a terminal; lines elsewhere. */
  AUTO,
  /** A line now and then. */
  LINES,
  /** A line of JSON every second. */
  JSON,
  /** Not at all. */
  NONE
}
