package dev.reweave.checkpoint.deepspeed;

import dev.reweave.common.ReweaveException;
import java.util.List;

/** What is said of files of ranks that are missing, or not of one step of one run. */
final class RankFileFailures {
  private static final String NOT_WHOLE =
      "the checkpoint was not saved whole, or files of two runs are mixed: copy the files of this"
          + " step from the training run again, or convert another tag with --tag";

  private static final String MOVE_AWAY =
      "files of two runs are mixed: move those of the other run away";

  private RankFileFailures() {}

  /**
   * Files of ranks, layers or experts are not there; all are told, numbered from 0 as in their
   * names.
   */
  static ReweaveException missing(String what, String place) {
    return new ReweaveException("not all files are there: " + what, place, NOT_WHOLE);
  }

  /** The file of the first rank was not copied. */
  static ReweaveException noModelStates(String folder) {
    return new ReweaveException(
        "the model states file is missing",
        folder + "/mp_rank_00_model_states.pt",
        "the checkpoint was not saved or copied whole: copy the file from the training run");
  }

  /** The optimizer states were not copied. */
  static ReweaveException noOptimizerStates(String folder) {
    return new ReweaveException(
        "there are no *_optim_states.pt files, and so no fp32 master weights",
        folder,
        "copy them from the training run, or convert the module's own with --weights model");
  }

  /** A file of another program or version. */
  static ReweaveException unknownName(String place) {
    return ReweaveException.unsupported(
        "the name of this file is like that of a rank's, layer's or expert's, but of no known"
            + " version",
        place,
        "move it away if it does not belong to the checkpoint");
  }

  /** {@code mp_rank_0_…} beside {@code mp_rank_00_…}. */
  static ReweaveException twins(String first, String second) {
    return new ReweaveException(
        "two files of one rank, layer or expert", first + " and " + second, MOVE_AWAY);
  }

  /** Files of data-parallel ranks of two runs lie in the folder. */
  static ReweaveException twoOfRank(int rank, long ranks, String first, String second) {
    return new ReweaveException(
        "two files for rank " + rank + ", of " + ranks + " ranks",
        first + " and " + second,
        NOT_WHOLE);
  }

  /** Files of another run lie in the folder. */
  static ReweaveException foreignRank(int rank, long ranks, String place) {
    return new ReweaveException(
        "there are only " + ranks + " ranks, numbered from 0, and this is a file of rank " + rank,
        place,
        MOVE_AWAY);
  }

  /**
   * Files of another run lie in the folder.
   *
   * @param ranks how many there are of which kind
   */
  static ReweaveException foreignModelRank(int rank, String ranks, String place) {
    return new ReweaveException(
        "this is a file of tensor- or pipeline-parallel rank "
            + rank
            + ", numbered from 0, and the model states tell of "
            + ranks,
        place,
        MOVE_AWAY);
  }

  /** Files of two steps or runs are mixed. */
  static ReweaveException partitionsDisagree(String first, String other) {
    return new ReweaveException(
        "ranks disagree on stage, world size, parameter groups or the gaps in them",
        first + " and " + other,
        NOT_WHOLE);
  }

  /** Files of two steps or runs are mixed. */
  static ReweaveException modelsDisagree(String first, String other) {
    return new ReweaveException(
        "ranks disagree on the training step or on names and shapes of parameters",
        first + " and " + other,
        NOT_WHOLE);
  }

  /** Files of two steps or runs are mixed. */
  static ReweaveException modelRanksDisagree(String first, String other) {
    return new ReweaveException(
        "tensor- or pipeline-parallel ranks disagree on the training step or on their number",
        first + " and " + other,
        NOT_WHOLE);
  }

  /** Files of two runs are mixed: one with ZeRO-3, and one with another stage. */
  static ReweaveException stagesDiffer(int ofOptimizer, String folder) {
    return new ReweaveException(
        "optimizer states of ZeRO stage "
            + ofOptimizer
            + " beside model states of "
            + (ofOptimizer == 3 ? "stage 1 or 2" : "stage 3"),
        folder,
        NOT_WHOLE);
  }

  /** Files of two runs are mixed, or one is damaged. */
  static ReweaveException partitionCounts(List<Long> counts, String place) {
    return new ReweaveException(
        "parameter groups of partition counts " + counts + " in a model without experts",
        place,
        NOT_WHOLE);
  }

  /** Files of two runs are mixed, or one is damaged. */
  static ReweaveException partitionCountsAmong(long ranks, List<Long> counts, String place) {
    return new ReweaveException(
        "parameter groups of partition counts "
            + counts
            + " among "
            + ranks
            + " data-parallel ranks",
        place,
        NOT_WHOLE);
  }

  /** Files of two runs are mixed. */
  static ReweaveException layersDoNotFit(long modelRanks, long ofLayers, String folder) {
    return new ReweaveException(
        modelRanks + " model-parallel ranks, and layers of " + ofLayers + " tensor-parallel ranks",
        folder,
        NOT_WHOLE);
  }

  /** Files of two runs are mixed. */
  static ReweaveException layersDiffer(long ofLayers, long ofStates, String folder) {
    return new ReweaveException(
        "layers of " + ofLayers + " tensor-parallel ranks, and model states of " + ofStates,
        folder,
        NOT_WHOLE);
  }
}
