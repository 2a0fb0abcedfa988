package dev.reweave.format.pytorch;

/** Python's {@code None} in a pickle, so that no value is null. */
enum None {
  NONE
}
