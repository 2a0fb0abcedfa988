package dev.reweave.checkpoint.deepspeed;

import dev.reweave.common.ReweaveException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Sees to it that the files of all ranks are there, and of one step of one run. */
final class RankCheck {
  private static final String NOT_WHOLE = MissingFiles.NOT_WHOLE;

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
        throw new ReweaveException(
            "ranks disagree on stage, world size, parameter groups or the gaps in them",
            optimizer.get(0).file().uri() + " and " + optimizer.get(i).file().name(),
            NOT_WHOLE);
      }
    }
    if ((first.stage() == 3) != partitioned) {
      throw new ReweaveException(
          "optimizer states of ZeRO stage "
              + first.stage()
              + " beside model states of "
              + (partitioned ? "stage 3" : "stage 1 or 2"),
          folder,
          NOT_WHOLE);
    }
    List<Long> counts = first.partitionCounts();
    long ranks = counts.stream().findFirst().orElse((long) optimizer.size());
    if (!model.experts().isEmpty()) {
      // Groups of experts have fewer partitions, and there may be none of anything else.
      ranks = Math.max(counts.stream().max(Long::compare).orElse(0L), model.setup().worldSize());
    }
    for (long count : counts) {
      if (count != ranks && (model.experts().isEmpty() || count < 1 || ranks % count != 0)) {
        throw new ReweaveException(
            "parameter groups of partition counts "
                + counts
                + (model.experts().isEmpty()
                    ? " in a model without experts"
                    : " among " + ranks + " data-parallel ranks"),
            optimizer.get(0).file().uri(),
            NOT_WHOLE);
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
        throw new ReweaveException(
            "two files for rank " + file.dataRank() + ", of " + ranks + " ranks",
            twin.file().uri() + " and " + file.file().name(),
            NOT_WHOLE);
      }
      if (file.dataRank() >= ranks) {
        throw new ReweaveException(
            "there are only "
                + ranks
                + " ranks, numbered from 0, and this is a file of rank "
                + file.dataRank(),
            file.file().uri(),
            "files of two runs are mixed: move those of the other run away");
      }
    }
    missing.addDataRanks(files, ranks);
  }

  /** Checks that the model states of all ranks are of one step of one model. */
  static void checkSameStep(List<RankFile> models, ModelStates first, List<FrozenPieces> others) {
    for (int i = 0; i < others.size(); i++) {
      FrozenPieces other = others.get(i);
      if (!other.fingerprint().equals(first.fingerprint())
          || other.pieces().size() != first.fragments().size()) {
        throw new ReweaveException(
            "ranks disagree on the training step or on names and shapes of parameters",
            models.get(0).file().uri() + " and " + models.get(i + 1).file().name(),
            NOT_WHOLE);
      }
    }
  }
}
