package dev.reweave.checkpoint.deepspeed;

import dev.reweave.checkpoint.Caution;
import dev.reweave.checkpoint.TorchProbe;
import dev.reweave.common.Location;
import dev.reweave.common.ReweaveException;
import dev.reweave.storage.MetadataScanner;
import dev.reweave.storage.Stores;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * How far {@code ds_to_universal.py} came: it takes the partitions apart into {@code tmp/}, puts
 * each parameter together in {@code zero/}, removes {@code tmp/} (unless it is told to keep it),
 * and copies the model states last.
 */
final class UniversalProgress {
  private static final String TMP = "tmp";
  private static final String SUFFIX = "_universal";

  private final Stores stores;
  private final TagFolder folder;
  private final Optional<Source> source;

  /**
   * What it was made from.
   *
   * @param models the model states of all ranks
   */
  private record Source(Location address, List<RankFile> models) {}

  /**
   * @param folder the universal checkpoint
   */
  UniversalProgress(Stores stores, TagFolder folder) {
    this.stores = stores;
    this.folder = folder;
    this.source = source();
  }

  /** Whether a folder has the pieces that the converter begins with. */
  static boolean isBegun(Stores stores, Stores.Listing step) {
    return step.folders().stream()
        .filter(f -> f.name().equals(TMP))
        .flatMap(tmp -> stores.list(tmp).folders().stream().limit(1))
        .flatMap(parameter -> stores.list(parameter).folders().stream())
        .anyMatch(rank -> rank.name().matches("\\d+"));
  }

  private Optional<Source> source() {
    if (!folder.address().name().endsWith(SUFFIX)) {
      return Optional.empty();
    }
    String name = folder.address().name();
    Location address = folder.address().sibling(name.substring(0, name.length() - SUFFIX.length()));
    if (!stores.isFolder(address)) {
      return Optional.empty();
    }
    List<RankFile> files = RankFile.among(stores, stores.list(address));
    List<RankFile> models =
        files.stream()
            .filter(
                f ->
                    f.kind() == RankFile.Kind.MODEL
                        || (f.kind() == RankFile.Kind.PARTITIONED_MODEL && f.dataRank() == 0))
            .toList();
    return files.isEmpty() ? Optional.empty() : Optional.of(new Source(address, models));
  }

  /**
   * Refuses one whose converter was stopped.
   *
   * @throws ReweaveException if there are pieces, and no model states
   */
  void requireModelStates() {
    if (isBegun(stores, stores.list(folder.address()))) {
      throw UniversalFailures.stopped(sourceAddress(), folder.address().uri());
    }
  }

  /**
   * Compares with what it was made from, where there are no model states to tell.
   *
   * @param parameters names of those that have a folder
   * @return what cannot be known
   * @throws ReweaveException if parameters are missing
   */
  Optional<Caution> compare(MetadataScanner scanner, Set<String> parameters) {
    if (source.filter(s -> !s.models().isEmpty()).isEmpty()) {
      return Optional.of(
          new Caution(
              Caution.Kind.MISSING_FILE,
              "*_model_states.pt",
              "whether all parameters are there is not known: a universal checkpoint without model"
                  + " states",
              folder.address().uri()));
    }
    List<MetadataScanner.Request<ModelStates>> requests = new ArrayList<>();
    for (RankFile file : source.get().models()) {
      requests.add(
          TorchProbe.request(
              file.file(),
              requests.size(),
              torchFile -> ModelStates.read(torchFile, ModelStates.Wanted.SHAPES)));
    }
    Set<String> missing = new TreeSet<>();
    int all = 0;
    for (ModelStates states : scanner.scan(requests)) {
      Set<String> trained = states.trained().keySet();
      all += trained.size();
      trained.stream().filter(n -> !parameters.contains(n)).forEach(missing::add);
    }
    if (!missing.isEmpty()) {
      throw UniversalFailures.stoppedBefore(
          List.copyOf(missing), all, sourceAddress(), folder.address().uri());
    }
    return Optional.empty();
  }

  private Optional<String> sourceAddress() {
    return source.map(s -> s.address().uri());
  }
}
