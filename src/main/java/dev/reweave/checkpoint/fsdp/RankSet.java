package dev.reweave.checkpoint.fsdp;

import dev.reweave.storage.InputFile;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * The files of all ranks in one folder, whose names differ in their numbers alone.
 *
 * @param files in the order of the ranks
 */
record RankSet(List<RankFile> files) {
  /** One rank's file with what its name says. */
  record RankFile(RankFileName name, InputFile file) {}

  RankSet {
    List<RankFile> sorted = new ArrayList<>(files);
    sorted.sort(Comparator.comparingInt((RankFile f) -> f.name().rank()));
    files = List.copyOf(sorted);
  }

  /** The sets among the files of a folder, but those of one file that has no telling name. */
  static List<RankSet> among(List<InputFile> files) {
    TreeMap<String, List<RankFile>> sets = new TreeMap<>();
    for (InputFile file : files) {
      RankFileName.of(file.name())
          .filter(name -> name.kind() != RankFileName.Kind.TRAINING)
          .ifPresent(
              name ->
                  sets.computeIfAbsent(name.set(), s -> new ArrayList<>())
                      .add(new RankFile(name, file)));
    }
    return sets.values().stream().map(RankSet::new).filter(RankSet::isOfRanks).toList();
  }

  /**
   * Whether the names tell of ranks: an adapter's tell of another rank, the length of its matrices,
   * which is never 0.
   */
  private boolean isOfRanks() {
    return files.stream().anyMatch(f -> f.name().kind() == RankFileName.Kind.FSDP)
        || (files.size() > 1 && files.get(0).name().rank() == 0);
  }

  /**
   * Whether only what FSDP has made has such names. Plain tensors in it are whole: under {@code
   * NO_SHARD} each rank gets the state dict of {@code FULL_STATE_DICT}, whatever was asked for
   * ({@code _pre_state_dict_hook} in {@code torch/distributed/fsdp/_state_dict_utils.py}).
   */
  boolean isOfFsdpAlone() {
    return files.stream().allMatch(f -> f.name().isOfFsdpAlone());
  }

  /** How many ranks there are, as the names tell: by their number, or by the highest. */
  int ranks() {
    return Math.max(world(), files.get(files.size() - 1).name().rank() + 1);
  }

  /** How many ranks the names say there are; 0 if they do not. */
  int world() {
    return files.get(0).name().world();
  }

  /** The numbers of ranks that the names tell, each once. */
  TreeSet<Integer> worlds() {
    TreeSet<Integer> worlds = new TreeSet<>();
    files.forEach(f -> worlds.add(f.name().world()));
    return worlds;
  }

  /** The names of files that should be there for so many ranks. */
  List<String> missing(long ranks, int most) {
    TreeSet<Integer> there = new TreeSet<>();
    files.forEach(f -> there.add(f.name().rank()));
    List<String> missing = new ArrayList<>();
    for (int rank = 0; rank < ranks && missing.size() <= most; rank++) {
      if (!there.contains(rank)) {
        missing.add(named(rank));
      }
    }
    return missing;
  }

  /** The name of another rank's file. */
  private String named(int rank) {
    RankFile one = files.get(0);
    String name = one.file().name();
    String digits = "(\\d+)(?=\\.[a-z]+$)";
    return name.replaceFirst(digits, String.valueOf(rank));
  }
}
