package dev.reweave.checkpoint.huggingface;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * Whether all files are there that ranks saved their slices in. How many ranks there were, nobody
 * says; and a rank has no file where it has nothing to put into it, as in the stages of a pipeline.
 *
 * @param files that are there
 * @param tensors who has slices of each
 */
record SliceSet(List<SliceName> files, List<Held> tensors) {
  /**
   * Who has slices of a tensor.
   *
   * @param part the file that it is in, of each rank
   * @param ranks that have slices of it
   * @param open whether, as far as its slices tell, there may be more of it
   */
  record Held(int part, BitSet ranks, boolean open) {}

  /** Refuses a set that lacks files, as far as can be told. */
  void requireAll(String folder) {
    Set<Integer> counts = files.stream().map(SliceName::parts).collect(Collectors.toSet());
    if (counts.size() > 1) {
      throw HuggingFaceFailures.slicesOfTwoCheckpoints(new TreeSet<>(counts), folder);
    }
    List<String> missing = new ArrayList<>();
    missing.addAll(missingRanks());
    missing.addAll(missingParts());
    if (!missing.isEmpty()) {
      throw HuggingFaceFailures.missingSlices(missing, folder);
    }
    if (ranks().equals(Set.of(1))) {
      throw HuggingFaceFailures.firstRankAlone(folder);
    }
  }

  private Set<Integer> ranks() {
    return files.stream().map(SliceName::rank).collect(Collectors.toCollection(TreeSet::new));
  }

  private List<String> missingRanks() {
    Set<Integer> there = ranks();
    int parts = files.get(0).parts();
    int last = there.stream().mapToInt(Integer::intValue).max().orElseThrow();
    List<String> missing = new ArrayList<>();
    for (int rank = 1; rank < last; rank++) {
      if (!there.contains(rank)) {
        missing.add(
            parts == 1
                ? new SliceName(rank, 1, 1).text()
                : new SliceName(rank, 1, parts).text() + " and others of rank " + rank);
      }
    }
    return missing;
  }

  /**
   * Files in which a rank should have a slice: of a tensor that may have more, all of whose ranks
   * share other tensors with this one. The stages of a pipeline share none, nor do replicas.
   */
  private List<String> missingParts() {
    Set<SliceName> there = new HashSet<>(files);
    Map<Integer, BitSet> sharing = sharing();
    Map<Integer, List<Held>> byPart =
        tensors.stream().filter(Held::open).collect(Collectors.groupingBy(Held::part));
    Set<Integer> found = files.stream().map(SliceName::part).collect(Collectors.toSet());
    Set<SliceName> missing = new LinkedHashSet<>();
    int parts = files.get(0).parts();
    for (int part = 1; part <= parts; part++) {
      if (!found.contains(part)) {
        missing.add(new SliceName(files.get(0).rank(), part, parts));
        continue;
      }
      List<Held> open = byPart.getOrDefault(part, List.of());
      for (int rank : ranks()) {
        SliceName file = new SliceName(rank, part, parts);
        if (!there.contains(file)
            && open.stream().anyMatch(tensor -> within(tensor, sharing.get(rank)))) {
          missing.add(file);
        }
      }
    }
    return missing.stream().map(SliceName::text).toList();
  }

  private static boolean within(Held tensor, BitSet ranks) {
    BitSet outside = (BitSet) tensor.ranks().clone();
    outside.andNot(ranks);
    return outside.isEmpty();
  }

  /** The ranks with which each rank shares a tensor. */
  private Map<Integer, BitSet> sharing() {
    Map<Integer, BitSet> sharing = new TreeMap<>();
    ranks().forEach(rank -> sharing.put(rank, new BitSet()));
    tensors.stream()
        .map(Held::ranks)
        .distinct()
        .forEach(ranks -> ranks.stream().forEach(rank -> sharing.get(rank).or(ranks)));
    return sharing;
  }
}
