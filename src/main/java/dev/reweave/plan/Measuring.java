package dev.reweave.plan;

/** What is found out about tensors while they are written. */
public enum Measuring {
  /** What a conversion needs. */
  NOTHING,
  /**
   * What each holds, see {@code TensorDigest}: from the bytes that are written, at no more reads.
   */
  TENSORS,
  /** The same, and how the values of each are spread. */
  VALUES;

  /** What both want. */
  public Measuring and(Measuring other) {
    return compareTo(other) > 0 ? this : other;
  }
}
