package dev.reweave.plan.prepare;

import dev.reweave.checkpoint.Checkpoint;
import dev.reweave.checkpoint.EmaSearch;
import dev.reweave.common.Location;
import dev.reweave.plan.SmallFile;
import dev.reweave.storage.InputFile;
import dev.reweave.storage.Stores;
import dev.reweave.target.base.ConfigAverage;
import dev.reweave.target.base.ConfigJson;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * The {@code config.json} beside a moving average that diffusers has saved as a model: with it, but
 * for what it says of the average, the result loads as the model does.
 */
final class AverageConfig {
  static final String WITHOUT =
      "config.json comes without the numbers of the moving average (decay and others)";

  private static final String NAME = "config.json";

  private AverageConfig() {}

  /**
   * Reads the config that lies beside an average.
   *
   * @return empty if there is none, or it is not of diffusers' average
   * @throws dev.reweave.common.ReweaveException if it cannot be read
   */
  static Optional<OwnConfigs> beside(Stores stores, Checkpoint checkpoint, Renaming renaming) {
    List<Location> folders =
        checkpoint.files().stream().map(InputFile::folder).distinct().limit(2).toList();
    if (folders.size() != 1
        || !EmaSearch.isCalledSo(folders.get(0).name())
        || renaming.mapping().isPresent()) {
      return Optional.empty();
    }
    Optional<InputFile> file =
        stores
            .file(folders.get(0).child(NAME))
            .filter(found -> found.length() > 0 && found.length() <= ConfigJson.MAX_BYTES);
    if (file.isEmpty()) {
      return Optional.empty();
    }
    byte[] content = stores.readAll(file.get(), ConfigJson.MAX_BYTES);
    byte[] ofModel = ConfigAverage.drop(content, file.get().uri());
    return Arrays.equals(content, ofModel)
        ? Optional.empty()
        : Optional.of(
            new OwnConfigs(file, List.of(new SmallFile(NAME, ofModel)), List.of(WITHOUT)));
  }
}
