package dev.reweave.checkpoint.reading;

import dev.reweave.checkpoint.Checkpoint;
import dev.reweave.checkpoint.CheckpointFormat;
import dev.reweave.checkpoint.Contents;
import dev.reweave.checkpoint.EmaSearch;
import dev.reweave.checkpoint.Place;
import dev.reweave.checkpoint.ReadOptions;
import dev.reweave.common.Location;
import dev.reweave.common.ReweaveException;
import dev.reweave.storage.InputFile;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * A model's folder beside a training state, in which the trainer has put a moving average of the
 * weights: {@code transformer_ema/}, as diffusers' {@code EMAModel.save_pretrained} writes it.
 */
record AverageFolder(Location address, Contents model) implements Contents {
  /**
   * Those in a folder, as their names tell.
   *
   * @throws ReweaveException if it is not clear what is meant in one of them
   */
  static List<Contents> in(Place place, List<CheckpointFormat> formats) {
    List<Contents> found = new ArrayList<>();
    for (Location folder : named(place)) {
      of(place.folder(folder), formats).ifPresent(found::add);
    }
    return found;
  }

  /** The same, without those of which it is not clear what they hold: who asks is told. */
  static List<Contents> clearIn(Place place, List<CheckpointFormat> formats) {
    List<Contents> found = new ArrayList<>();
    for (Location folder : named(place)) {
      try {
        of(place.folder(folder), formats).ifPresent(found::add);
      } catch (ReweaveException e) {
        e.throwIfOfStore();
      }
    }
    return found;
  }

  private static List<Location> named(Place place) {
    return place.listing().folders().stream()
        .filter(folder -> EmaSearch.isCalledSo(folder.name()))
        .toList();
  }

  private static Optional<Contents> of(Place folder, List<CheckpointFormat> formats) {
    if (Reading.lying(folder, formats).isEmpty()) {
      return Optional.empty();
    }
    Contents taken = Reading.of(folder, formats, Optional.empty()).taken();
    return taken.isLoadable()
        ? Optional.of(new AverageFolder(folder.address(), taken))
        : Optional.empty();
  }

  @Override
  public String name() {
    return address.name();
  }

  @Override
  public List<InputFile> files(Optional<String> wanted) {
    return model.files(Optional.empty());
  }

  @Override
  public Set<Location> claims() {
    // Its files are in a folder of their own.
    return Set.of();
  }

  @Override
  public long storedTensors() {
    return model.storedTensors();
  }

  @Override
  public String remedy() {
    return "--weights ema takes it in place of the model";
  }

  @Override
  public Checkpoint read(ReadOptions options) {
    Checkpoint average =
        model.read(
            options
                .with(ReadOptions.TAG, Optional.empty())
                .with(ReadOptions.WEIGHTS, Optional.empty()));
    return average.with(
        average.remarks().withNote("the weights are the moving average in " + name()));
  }
}
