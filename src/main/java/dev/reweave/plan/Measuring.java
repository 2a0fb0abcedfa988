package dev.reweave.plan;

/** What is found out about tensors while they are written. */
public enum Measuring {
  /** What a conversion needs. */
  NOTHING,
  /**
   * What each holds, see {@code TensorDigest}: from the bytes that are written, at no more reads.
   */
  TENSORS
}
