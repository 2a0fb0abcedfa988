package dev.reweave.testing;

import dev.reweave.checkpoint.ReadOptions;
import dev.reweave.checkpoint.Weights;
import dev.reweave.common.Options;
import dev.reweave.convert.AskedConversion;
import dev.reweave.convert.Checks;
import dev.reweave.convert.Conversion;
import dev.reweave.convert.ConversionOptions;
import dev.reweave.convert.ConversionRequest;
import dev.reweave.convert.ConversionRequest.Earlier;
import dev.reweave.convert.ConversionRequest.ExistingOutput;
import dev.reweave.convert.ConversionRequest.Proving;
import dev.reweave.convert.OutputTemplate;
import dev.reweave.convert.Preparation;
import dev.reweave.convert.RepeatedConversion;
import dev.reweave.plan.PlanOptions;
import dev.reweave.plan.TargetType;
import dev.reweave.plan.prepare.BaseChoice;
import dev.reweave.plan.prepare.MappingChoice;
import dev.reweave.storage.Stores;
import dev.reweave.storage.ThreadScanner;
import java.nio.file.Path;
import java.util.Optional;

/** A conversion as a test asks for it: what it does not say is as by default. */
public final class Converting {
  private final String input;
  private final String output;
  private ReadOptions reading = ReadOptions.defaults();
  private PlanOptions planning = PlanOptions.DEFAULTS;
  private MappingChoice mapping = MappingChoice.AUTO;
  private Optional<BaseChoice> base = Optional.empty();
  private Proving proving = Proving.SAMPLE;
  private Checks checks = Checks.DEFAULTS;
  private ExistingOutput existing = ExistingOutput.REFUSE;
  private Optional<Stores> stores = Optional.empty();

  private Converting(String input, String output) {
    this.input = input;
    this.output = output;
  }

  /** From one address to another. */
  public static Converting between(Object input, Object output) {
    return new Converting(input.toString(), output.toString());
  }

  public Converting planning(PlanOptions options) {
    planning = options;
    return this;
  }

  public Converting type(String type) {
    planning = planning.withType(TargetType.parse(type));
    return this;
  }

  public Converting weights(Weights weights) {
    reading = new ReadOptions(Optional.empty(), Optional.of(weights), ReadOptions.Frozen.INCLUDE);
    return this;
  }

  public Converting reading(ReadOptions options) {
    reading = options;
    return this;
  }

  public Converting existing(ExistingOutput mode) {
    existing = mode;
    return this;
  }

  public Converting withoutFrozen() {
    reading = new ReadOptions(reading.tag(), reading.weights(), ReadOptions.Frozen.EXCLUDE);
    return this;
  }

  public Converting mapping(String name) {
    mapping = MappingChoice.of(name);
    return this;
  }

  /** With a base that is copied along, in the types that it has. */
  public Converting base(Object address) {
    return base(
        new BaseChoice(
            Locations.of(address),
            BaseChoice.Mode.COPY,
            Optional.empty(),
            Optional.empty(),
            Optional.empty()));
  }

  /** With a base, in the types that it has. */
  public Converting base(BaseChoice choice) {
    base = Optional.of(choice);
    planning = planning.withType(new TargetType.LikeBase());
    return this;
  }

  /** Comparing with the second copy of the weights. */
  public Converting proving() {
    return proving(Proving.SECOND_COPY);
  }

  /** Comparing with so much of it. */
  public Converting proving(Proving extent) {
    proving = extent;
    return this;
  }

  public Converting checking(Checks other) {
    checks = other;
    return this;
  }

  public Converting overwriting() {
    existing = ExistingOutput.REPLACE;
    return this;
  }

  public Converting in(Stores other) {
    stores = Optional.of(other);
    return this;
  }

  public ConversionRequest request() {
    return request(stores.orElseGet(TestSpark::stores));
  }

  private ConversionRequest request(Stores in) {
    return new ConversionRequest(
        in.locate(input),
        in.locate(output),
        new ConversionOptions(
            reading, planning, mapping, base, proving, checks, existing, Earlier.CONTINUE));
  }

  /** Converts. */
  public Conversion.Outcome run() {
    Stores in = stores.orElseGet(TestSpark::stores);
    return new Conversion(TestSpark.cluster(), in).run(request(in));
  }

  /** Reads and plans only, in this JVM. */
  public Preparation.Prepared prepare() {
    Stores in = stores.orElse(LocalStores.ALL);
    return new Preparation(in, new ThreadScanner(in)).prepare(request(in));
  }

  /** Reads, plans and gathers, in this JVM, and writes nothing. */
  public Gathered gather() {
    return Gathered.of(stores.orElse(LocalStores.ALL), prepare());
  }

  /** Converts again what a manifest tells of; gives what was asked for. */
  public static AskedConversion again(Path made, Path to) {
    AskedConversion asked =
        RepeatedConversion.read(
            TestSpark.stores(),
            Locations.of(made),
            Options.NONE.with(
                AskedConversion.OUTPUT, Optional.of(new OutputTemplate(to.toString()))));
    new Conversion(TestSpark.cluster(), TestSpark.stores())
        .run(new ConversionRequest(asked.input(), Locations.of(to), asked.options()));
    return asked;
  }
}
