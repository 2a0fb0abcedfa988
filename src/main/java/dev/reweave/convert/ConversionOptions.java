package dev.reweave.convert;

import dev.reweave.checkpoint.ReadOptions;
import dev.reweave.checkpoint.StepChoice;
import dev.reweave.checkpoint.Unfamiliar;
import dev.reweave.common.Option;
import dev.reweave.common.Options;
import dev.reweave.convert.ConversionRequest.Earlier;
import dev.reweave.convert.ConversionRequest.ExistingOutput;
import dev.reweave.convert.ConversionRequest.Proving;
import dev.reweave.plan.PlanOptions;
import dev.reweave.plan.TargetType;
import dev.reweave.plan.prepare.BaseChoice;
import dev.reweave.plan.prepare.MappingChoice;
import dev.reweave.storage.Stores;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

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
  /** What happens if the output folder is not empty. */
  public static final Option<ExistingOutput> OVERWRITE =
      Option.flag("overwrite", ExistingOutput.REFUSE, ExistingOutput.REPLACE)
          .about(Option.Part.CONVERSION)
          .under(Option.Theme.RESULT)
          .help("Replace the model in the output folder.")
          .more(
              ", with all that loaders would take in its place or put on top of it, which is named;"
                  + " other files stay");

  /** What counts of an earlier run. */
  public static final Option<Earlier> NO_RESUME =
      Option.flag("no-resume", Earlier.CONTINUE, Earlier.IGNORE)
          .about(Option.Part.CONVERSION)
          .under(Option.Theme.RUNS)
          .help("Start anew, whatever an earlier run of this conversion has done.");

  /** What the manifest keeps of a request beside its addresses, its mapping and its base. */
  static final List<Option<?>> RECORDED =
      Stream.of(
              ReadOptions.OPTIONS,
              PlanOptions.OPTIONS,
              List.of(Proving.RECORDED, Unfamiliar.STRICT))
          .<Option<?>>flatMap(List::stream)
          .filter(option -> !option.recorded().isEmpty())
          .toList();

  /**
   * What was given.
   *
   * @throws IllegalArgumentException if it does not go together
   */
  static ConversionOptions of(Stores stores, Options given) {
    boolean likeBase = given.has(BaseChoice.BASE) && !given.has(PlanOptions.DTYPE);
    return of(
        likeBase ? given.with(PlanOptions.DTYPE, new TargetType.LikeBase()) : given,
        given.of(MappingChoice.MAPPING),
        BaseChoice.of(stores, given),
        Proving.of(given));
  }

  /** What was given, with the model that the result is to be. */
  static ConversionOptions of(
      Options given, MappingChoice mapping, Optional<BaseChoice> base, Proving proving) {
    return new ConversionOptions(
        new ReadOptions(given),
        new PlanOptions(given),
        mapping,
        base,
        proving,
        Checks.of(given),
        given.of(OVERWRITE),
        given.of(NO_RESUME));
  }

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

  /** The same for one saved step. */
  ConversionOptions ofStep(String tag) {
    return with(reading.withTag(tag), mapping);
  }

  /** The same for the mean of these steps. */
  ConversionOptions ofMean(StepChoice steps) {
    return with(reading.with(ReadOptions.AVERAGE_TAGS, Optional.of(steps.toString())), mapping);
  }

  /** The same of what is read so, under names that these rules give. */
  ConversionOptions with(ReadOptions read, MappingChoice rules) {
    return new ConversionOptions(read, planning, rules, base, proving, checks, existing, earlier);
  }

  /** What the manifest keeps of it, with what is as by default. */
  Options recorded() {
    return reading
        .options()
        .and(planning.options())
        .with(Proving.RECORDED, proving)
        .with(Unfamiliar.STRICT, checks.unfamiliar())
        .complete(RECORDED);
  }

  /** The part that decides what the result is, for comparison with other requests. */
  List<Object> substance() {
    return List.of(
        reading.options().decisive(),
        planning.with(PlanOptions.CHUNK_SIZE, Optional.empty()).options().decisive(),
        mapping,
        base,
        proving.inFingerprints());
  }
}
