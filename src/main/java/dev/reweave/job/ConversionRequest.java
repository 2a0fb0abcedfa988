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
    ExistingOutput existing,
    Earlier earlier) {

  /** What counts of an earlier run of the same conversion. */
  public enum Earlier {
    /** Its finished shards; all of it if it ended well. */
    CONTINUE,
    /** Nothing. */
    IGNORE
  }

  /** What happens if the output folder is not empty. */
  public enum ExistingOutput {
    REFUSE,
    REPLACE
  }
}
