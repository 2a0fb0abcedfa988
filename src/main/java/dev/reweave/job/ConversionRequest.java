package dev.reweave.job;

import dev.reweave.checkpoint.ReadOptions;
import dev.reweave.plan.PlanOptions;

/**
 * What the user asks to be converted.
 *
 * @param input address of the checkpoint
 * @param output address of the folder for the result
 */
public record ConversionRequest(
    String input,
    String output,
    ReadOptions reading,
    PlanOptions planning,
    ExistingOutput existing) {

  /** What happens if the output folder is not empty. */
  public enum ExistingOutput {
    REFUSE,
    REPLACE
  }
}
