package dev.reweave.plan.prepare;

/** What becomes of the scales of quantized weights. */
public enum Scales {
  /** They stay beside the weights, both as they are. */
  KEPT,
  /** The weights are what they stand for, and there are no scales; or there never were any. */
  GONE
}
