package dev.reweave.checkpoint.deepspeed;

import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Sees to it that the files of all ranks are there, and of one step of one run. */
final class RankCheck {
  private RankCheck() {}

  /**
   * Checks numbers of files and what they say of each other.
   *
   * @param optimizer the optimizer states files, in rank order
   * @param states what each of them says
   * @param models the model states files, in rank order
   * @param partitioned whether each rank has a model states file of its own
   * @param model the first rank's model states
   * @param missing takes the files that are not there
   */
  static void check(
      String folder,
      ModelStates model,
      List<RankFile> optimizer,
      List<OptimizerStates> states,
      List<RankFile> models,
      boolean partitioned,
      MissingFiles missing) {
    OptimizerStates first = states.get(0);
    for (int i = 0; i < states.size(); i++) {
      OptimizerStates other = states.get(i);
      if (other.stage() != first.stage()
          || !other.partitionCounts().equals(first.partitionCounts())
          || other.flat().size() != first.flat().size()
          || other.account().gapsHash() != first.account().gapsHash()) {
        throw RankFileFailures.partitionsDisagree(
            optimizer.get(0).file().uri(), optimizer.get(i).file().name());
      }
    }
    if ((first.stage() == 3) != partitioned) {
      throw RankFileFailures.stagesDiffer(first.stage(), folder);
    }
    List<Long> counts = first.partitionCounts();
    long ranks = counts.stream().findFirst().orElse((long) optimizer.size());
    boolean hasExperts = !model.run().experts().isEmpty();
    if (hasExperts) {
      // Groups of experts have fewer partitions, and there may be none of anything else.
      ranks =
          Math.max(counts.stream().max(Long::compare).orElse(0L), model.run().setup().worldSize());
    }
    for (long count : counts) {
      if (count != ranks && (!hasExperts || count < 1 || ranks % count != 0)) {
        throw hasExperts
            ? RankFileFailures.partitionCountsAmong(ranks, counts, optimizer.get(0).file().uri())
            : RankFileFailures.partitionCounts(counts, optimizer.get(0).file().uri());
      }
    }
    checkRanks(optimizer, ranks, missing);
    if (partitioned) {
      checkRanks(models, ranks, missing);
    }
  }

  private static void checkRanks(List<RankFile> files, long ranks, MissingFiles missing) {
    Map<Integer, RankFile> byRank = new HashMap<>();
    for (RankFile file : files) {
      RankFile twin = byRank.put(file.dataRank(), file);
      if (twin != null) {
        throw RankFileFailures.twoOfRank(
            file.dataRank(), ranks, twin.file().uri(), file.file().name());
      }
      if (file.dataRank() >= ranks) {
        throw RankFileFailures.foreignRank(file.dataRank(), ranks, file.file().uri());
      }
    }
    missing.addDataRanks(files, ranks);
  }

  /** Checks that the model states of all ranks are of one step of one model. */
  static void checkSameStep(List<RankFile> models, ModelStates first, List<FrozenPieces> others) {
    FrozenPieces.Fingerprint expected = first.fingerprint();
    for (int i = 0; i < others.size(); i++) {
      FrozenPieces other = others.get(i);
      if (!other.fingerprint().equals(expected)
          || other.pieces().size() != first.frozen().fragments().size()) {
        throw RankFileFailures.modelsDisagree(
            models.get(0).file().uri(), models.get(i + 1).file().name());
      }
    }
  }
}
