package dev.reweave.checkpoint.megatron;

import dev.reweave.checkpoint.Checkpoint;
import dev.reweave.checkpoint.Contents;
import dev.reweave.checkpoint.Place;
import dev.reweave.checkpoint.ReadOptions;
import dev.reweave.common.Location;
import dev.reweave.storage.InputFile;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * The folders of all ranks of one step.
 *
 * @param place of the step
 */
record RankFolders(Place place, List<RankFolder> folders) implements Contents {
  /** What each rank saves of its part of the model, with the state of its optimizer. */
  static final String MODEL = "model_optim_rng.pt";

  /** Those in a folder; empty if it is not that of a step. */
  static Optional<RankFolders> in(Place place) {
    List<RankFolder> folders = RankFolder.among(place.listing().folders());
    return folders.isEmpty() || model(place, folders.get(0)).isEmpty()
        ? Optional.empty()
        : Optional.of(new RankFolders(place, folders));
  }

  private static Optional<InputFile> model(Place place, RankFolder folder) {
    return place.stores().file(folder.folder().child(MODEL));
  }

  /**
   * The file of one rank.
   *
   * @throws dev.reweave.common.ReweaveException if it is not there
   */
  InputFile model(RankFolder folder) {
    return model(place, folder)
        .orElseThrow(
            () ->
                MegatronFailures.missingRanks(
                    List.of(folder.folder().name() + "/" + MODEL), place.address().uri()));
  }

  @Override
  public String name() {
    return place.name();
  }

  @Override
  public Location address() {
    return place.address();
  }

  @Override
  public List<InputFile> files(Optional<String> wanted) {
    return folders.stream().flatMap(folder -> model(place, folder).stream()).toList();
  }

  @Override
  public Set<Location> claims() {
    // The files of ranks are in folders of their own.
    return Set.of();
  }

  @Override
  public Checkpoint read(ReadOptions options) {
    return MegatronCheckpoint.read(this, options);
  }
}
