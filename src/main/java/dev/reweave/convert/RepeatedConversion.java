package dev.reweave.convert;

import dev.reweave.checkpoint.ReadOptions;
import dev.reweave.checkpoint.Unfamiliar;
import dev.reweave.common.Location;
import dev.reweave.common.ReweaveException;
import dev.reweave.convert.ConversionRequest.Earlier;
import dev.reweave.convert.ConversionRequest.ExistingOutput;
import dev.reweave.manifest.Manifest;
import dev.reweave.plan.Format;
import dev.reweave.plan.PlanOptions;
import dev.reweave.plan.Sharding;
import dev.reweave.plan.TargetType;
import dev.reweave.plan.prepare.BaseChoice;
import dev.reweave.plan.prepare.BaseUsed;
import dev.reweave.plan.prepare.MappingChoice;
import dev.reweave.storage.InputFile;
import dev.reweave.storage.Stores;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/** A conversion that is asked for by the manifest of an earlier one. */
public final class RepeatedConversion {
  private static final int MOST_BYTES = 256 << 20;

  private RepeatedConversion() {}

  /**
   * The request that an earlier conversion fulfilled: the same tag, mapping, base and options.
   *
   * @param manifest its {@code reweave.json}, or of the folder that holds it
   * @param checks of the result; strictness of the earlier conversion stays
   * @param output another folder for the result; empty for the same
   * @throws ReweaveException if there is no manifest, or none that tells enough
   */
  public static AskedConversion read(
      Stores stores,
      Location manifest,
      Optional<OutputTemplate> output,
      Checks checks,
      ExistingOutput existing,
      Earlier earlier) {
    Location address = stores.isFolder(manifest) ? manifest.child(Manifest.FILE_NAME) : manifest;
    InputFile file = stores.file(address).orElseThrow(() -> ConversionFailures.noManifest(address));
    Manifest earlierRun = Manifest.parse(stores.readAll(file, MOST_BYTES), file.uri());
    try {
      if (earlierRun.output().isEmpty() || earlierRun.options().format().isEmpty()) {
        throw new IllegalArgumentException("it is of an older version");
      }
      return new AskedConversion(
          stores.locate(earlierRun.input().path()),
          output.orElseGet(() -> new OutputTemplate(earlierRun.output())),
          options(stores, earlierRun, checks, existing, earlier));
    } catch (IllegalArgumentException e) {
      throw ConversionFailures.notRepeatable(e.getMessage(), file.uri(), e);
    }
  }

  private static ConversionOptions options(
      Stores stores, Manifest manifest, Checks checks, ExistingOutput existing, Earlier earlier) {
    Manifest.Options options = manifest.options();
    ReadOptions reading =
        new ReadOptions(
                text(manifest.input().tag()),
                Optional.empty(),
                constant(ReadOptions.Frozen.class, options.frozen()))
            // Versions that wrote none knew no other names.
            .withNames(
                text(options.names())
                    .map(n -> constant(ReadOptions.Names.class, n))
                    .orElse(ReadOptions.Names.AS_SAVED));
    return new ConversionOptions(
        text(options.weights()).map(reading::withWeightsNamed).orElse(reading),
        new PlanOptions(
            TargetType.parse(options.dtype()),
            options.maxShardBytes(),
            text(options.weightsName()),
            options.chunkBytes(),
            constant(Format.class, options.format()),
            constant(Sharding.class, options.shards()),
            text(options.only())),
        manifest
            .mappingUsed()
            .map(m -> new MappingChoice(m.name(), Optional.of(m.rules().toString())))
            .orElse(MappingChoice.NONE),
        manifest.baseUsed().map(used -> base(stores, used)),
        proving(options.proving()),
        text(options.unfamiliar())
            .map(u -> checks.withUnfamiliar(constant(Unfamiliar.class, u)))
            .orElse(checks),
        existing,
        earlier);
  }

  /** Before samples were compared, what is one now was called by what else is checked. */
  private static ConversionRequest.Proving proving(String spelled) {
    return spelled.equals("checksums")
        ? ConversionRequest.Proving.SAMPLE
        : constant(ConversionRequest.Proving.class, spelled);
  }

  private static BaseChoice base(Stores stores, BaseUsed base) {
    return new BaseChoice(
        stores.locate(base.path()),
        constant(BaseChoice.Mode.class, base.mode()),
        text(base.component()),
        text(base.variant()),
        text(base.pipeline()));
  }

  private static Optional<String> text(String value) {
    return Optional.of(value).filter(v -> !v.isEmpty());
  }

  private static <E extends Enum<E>> E constant(Class<E> type, String spelled) {
    return Arrays.stream(type.getEnumConstants())
        .filter(c -> c.name().equals(spelled.toUpperCase(Locale.ROOT).replace('-', '_')))
        .findFirst()
        .orElseThrow(
            () -> new IllegalArgumentException("it has an option '" + spelled + "' that is none"));
  }
}
