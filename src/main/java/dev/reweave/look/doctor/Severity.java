package dev.reweave.look.doctor;

/** How much a finding matters; what matters most comes first. */
public enum Severity {
  /** What is examined cannot be used, or not all of it. */
  PROBLEM,
  /** It can be used, but perhaps not as it is meant. */
  WARNING,
  /** A fact, or what is a matter of taste. */
  INFO
}
