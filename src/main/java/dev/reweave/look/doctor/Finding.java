package dev.reweave.look.doctor;

import dev.reweave.checkpoint.CheckpointFacts;
import dev.reweave.common.Redacted;
import dev.reweave.common.ReweaveException;

/**
 * One thing that an examination found.
 *
 * @param severity how much it matters
 * @param problem what is wrong, or what is so
 * @param place the file, folder or tensor that it is about
 * @param remedy what the user can do; empty where there is nothing to do
 */
public record Finding(Severity severity, String problem, String place, String remedy) {
  public Finding {
    if (problem.isBlank() || place.isBlank()) {
      throw new IllegalArgumentException("finding without problem or place");
    }
    if (severity != Severity.INFO && remedy.isBlank()) {
      throw new IllegalArgumentException("finding without remedy: " + problem);
    }
    problem = Redacted.text(problem);
    place = Redacted.text(place);
    remedy = Redacted.text(remedy);
  }

  /** What stopped a part of the examination. */
  static Finding of(ReweaveException e) {
    return new Finding(Severity.PROBLEM, e.problem(), e.place(), e.remedy());
  }

  /** What follows from a checkpoint's structure. */
  static Finding of(CheckpointFacts.Fact fact) {
    return new Finding(
        fact.isDoubt() ? Severity.WARNING : Severity.INFO,
        fact.text(),
        fact.place(),
        fact.remedy());
  }

  /** A fact. */
  static Finding info(String fact, String place) {
    return new Finding(Severity.INFO, fact, place, "");
  }

  /** The same where it does less harm. */
  Finding as(Severity other) {
    return new Finding(other, problem, place, remedy);
  }

  /** In one line: what, where, and what to do. */
  public String text() {
    return problem + " (" + place + ")" + (remedy.isEmpty() ? "" : ": " + remedy);
  }
}
