package dev.reweave.checkpoint.deepspeed;

import dev.reweave.ReweaveException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Sees to it that the files of all ranks are there, and of one step of one run. */
final class RankCheck {
  private static final String NOT_WHOLE =
      "the checkpoint was not saved whole, or files of two runs are mixed: copy the files of this"
          + " step from the training run again, or convert another tag with --tag";

  private RankCheck() {}

  /**
   * Checks numbers of files and what they say of each other.
   *
   * @param optimizer the optimizer states files, in rank order
   * @param states what each of them says
   * @param models the model states files, in rank order
   * @param partitioned whether each rank has a model states file of its own
   * @param model the first rank's model states
   */
  static void check(
      String folder,
      ModelStates model,
      List<RankFile> optimizer,
      List<OptimizerStates> states,
      List<RankFile> models,
      boolean partitioned) {
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
    requireRanks(optimizer, ranks);
    if (partitioned) {
      requireRanks(models, ranks);
    }
  }

  private static void requireRanks(List<RankFile> files, long ranks) {
    Map<Integer, RankFile> byRank = new HashMap<>();
    for (RankFile file : files) {
      RankFile twin = byRank.put(file.dataRank(), file);
      if (twin != null) {
        throw new ReweaveException(
            "two files for rank " + (file.dataRank() + 1) + " of " + ranks,
            twin.file().uri() + " and " + file.file().name(),
            NOT_WHOLE);
      }
      if (file.dataRank() >= ranks) {
        throw new ReweaveException(
            "there are only "
                + ranks
                + " ranks, and this is a file of rank "
                + (file.dataRank() + 1),
            file.file().uri(),
            "files of two runs are mixed: move those of the other run away");
      }
    }
    for (int rank = 0; rank < ranks; rank++) {
      if (!byRank.containsKey(rank)) {
        RankFile any = files.get(0);
        String uri = any.file().uri();
        throw new ReweaveException(
            "rank " + (rank + 1) + " of " + ranks + " is missing",
            uri.substring(0, uri.lastIndexOf('/') + 1) + any.nameOfRank(rank),
            NOT_WHOLE);
      }
    }
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
