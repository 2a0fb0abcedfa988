package dev.reweave.checkpoint.megatron;

import dev.reweave.checkpoint.Checkpoint;
import dev.reweave.checkpoint.Contents;
import dev.reweave.checkpoint.Place;
import dev.reweave.checkpoint.ReadOptions;
import dev.reweave.common.Location;
import dev.reweave.storage.InputFile;
import dev.reweave.storage.ParallelCalls;
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

  /** Whether it is what a rank saved of the model. */
  static boolean isModel(InputFile file) {
    return file.name().equals(MODEL);
  }

  /**
   * What lies in the folder of each rank, in their order: asked for all at once, as a store answers
   * each question late.
   */
  List<List<InputFile>> listed() {
    return ParallelCalls.answers(folders, f -> place.stores().list(f.folder()).files());
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
    return listed().stream().flatMap(List::stream).filter(RankFolders::isModel).toList();
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
