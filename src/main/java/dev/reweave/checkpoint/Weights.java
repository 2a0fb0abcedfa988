package dev.reweave.checkpoint;

/** Which copy of the weights is meant. */
public enum Weights {
  /** The optimizer's fp32 copy, from which training goes on. */
  MASTER,
  /** The module's own, 16-bit under mixed precision. */
  MODEL
}
