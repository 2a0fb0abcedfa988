package dev.reweave.look.compare;

import dev.reweave.checkpoint.ReadOptions;
import dev.reweave.common.Location;
import dev.reweave.look.report.DiffCriterion;
import dev.reweave.plan.PlanOptions;
import dev.reweave.plan.prepare.MappingChoice;

/**
 * Which weights are compared, and what counts.
 *
 * @param planning of which names are compared, and how many bytes of both sides one task reads
 */
public record DiffRequest(Side first, Side second, PlanOptions planning, DiffCriterion criterion) {
  /**
   * Where weights are, and how they are read.
   *
   * @param mapping what gives them the names that both sides have
   */
  public record Side(Location address, ReadOptions reading, MappingChoice mapping) {
    /** All that is at an address, as it is by default. */
    public static Side of(Location address) {
      return new Side(address, ReadOptions.defaults(), MappingChoice.NONE);
    }
  }
}
