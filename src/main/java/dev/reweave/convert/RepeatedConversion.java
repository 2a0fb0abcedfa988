package dev.reweave.convert;

import dev.reweave.checkpoint.ReadOptions;
import dev.reweave.common.Location;
import dev.reweave.common.Options;
import dev.reweave.common.ReweaveException;
import dev.reweave.manifest.Manifest;
import dev.reweave.plan.PlanOptions;
import dev.reweave.plan.prepare.MappingChoice;
import dev.reweave.storage.InputFile;
import dev.reweave.storage.Stores;
import java.util.Optional;

/** A conversion that is asked for by the manifest of an earlier one. */
public final class RepeatedConversion {
  private static final int MOST_BYTES = 256 << 20;

  private RepeatedConversion() {}

  /**
   * The request that an earlier conversion fulfilled: the same tag, mapping, base and options.
   *
   * @param manifest its {@code reweave.json}, or of the folder that holds it
   * @param given what does not decide the result, such as another folder for it; what the manifest
   *     has counts
   * @throws ReweaveException if there is no manifest, or none that tells enough
   */
  public static AskedConversion read(Stores stores, Location manifest, Options given) {
    Location address = stores.isFolder(manifest) ? manifest.child(Manifest.FILE_NAME) : manifest;
    InputFile file = stores.file(address).orElseThrow(() -> ConversionFailures.noManifest(address));
    Manifest earlierRun = Manifest.parse(stores.readAll(file, MOST_BYTES), file.uri());
    try {
      if (earlierRun.output().isEmpty()
          || earlierRun.options().text(PlanOptions.FORMAT).isEmpty()) {
        throw new IllegalArgumentException("it is of an older version");
      }
      return new AskedConversion(
          stores.locate(earlierRun.input().path()),
          given.of(AskedConversion.OUTPUT).orElseGet(() -> new OutputTemplate(earlierRun.output())),
          options(stores, earlierRun, given));
    } catch (IllegalArgumentException e) {
      throw ConversionFailures.notRepeatable(e.getMessage(), file.uri(), e);
    }
  }

  private static ConversionOptions options(Stores stores, Manifest manifest, Options given) {
    Options recorded = manifest.options().of(ConversionOptions.RECORDED);
    if (!recorded.has(ReadOptions.NAMES)) { // Versions that wrote none knew no other names.
      recorded = recorded.with(ReadOptions.NAMES, ReadOptions.Names.AS_SAVED);
    }
    return ConversionOptions.of(
        given.and(recorded).with(ReadOptions.TAG, text(manifest.input().tag())),
        manifest
            .mappingUsed()
            .map(m -> new MappingChoice(m.name(), Optional.of(m.rules().toString())))
            .orElse(MappingChoice.NONE),
        manifest.baseUsed().map(used -> used.choice(stores)),
        recorded.of(ConversionRequest.Proving.RECORDED));
  }

  private static Optional<String> text(String value) {
    return Optional.of(value).filter(v -> !v.isEmpty());
  }
}
