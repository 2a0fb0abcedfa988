package dev.reweave.convert;

import dev.reweave.checkpoint.ReadOptions;
import dev.reweave.convert.ConversionRequest.Earlier;
import dev.reweave.convert.ConversionRequest.ExistingOutput;
import dev.reweave.convert.ConversionRequest.Proving;
import dev.reweave.plan.PlanOptions;
import dev.reweave.plan.prepare.BaseChoice;
import dev.reweave.plan.prepare.MappingChoice;
import dev.reweave.storage.Safeguards;
import java.util.List;
import java.util.Optional;

/**
 * How a checkpoint is converted, wherever it is.
 *
 * @param checks of the result; not part of what decides its bytes
 */
public record ConversionOptions(
    ReadOptions reading,
    PlanOptions planning,
    MappingChoice mapping,
    Optional<BaseChoice> base,
    Proving proving,
    Checks checks,
    ExistingOutput existing,
    Earlier earlier) {

  /** Without a base, to names that the tensors themselves suggest. */
  public ConversionOptions(
      ReadOptions reading, PlanOptions planning, ExistingOutput existing, Earlier earlier) {
    this(
        reading,
        planning,
        MappingChoice.AUTO,
        Optional.empty(),
        Proving.SAMPLE,
        Checks.DEFAULTS,
        existing,
        earlier);
  }

  /** The same, read with these safeguards. */
  public ConversionOptions withSafeguards(Safeguards safeguards) {
    return with(reading.withSafeguards(safeguards), mapping);
  }

  /** The same for one saved step. */
  ConversionOptions ofStep(String tag) {
    return with(reading.withTag(tag), mapping);
  }

  /** The same under names that these rules give. */
  ConversionOptions withMapping(MappingChoice rules) {
    return with(reading, rules);
  }

  private ConversionOptions with(ReadOptions read, MappingChoice rules) {
    return new ConversionOptions(read, planning, rules, base, proving, checks, existing, earlier);
  }

  /** The part that decides what the result is, for comparison with other requests. */
  List<Object> substance() {
    return List.of(
        reading.withSafeguards(Safeguards.DEFAULT),
        planning.withSizes(planning.maxShardBytes(), 1 << 20),
        mapping,
        base,
        proving.inFingerprints());
  }
}
