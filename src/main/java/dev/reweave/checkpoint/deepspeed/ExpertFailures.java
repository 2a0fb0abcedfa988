package dev.reweave.checkpoint.deepspeed;

import dev.reweave.common.ReweaveException;
import dev.reweave.tensor.TensorSpec;
import java.util.List;

/** What is said of experts that are missing, do not go together, or are spread in other ways. */
final class ExpertFailures {
  private static final String NOT_WHOLE =
      "the checkpoint was not saved or copied whole: copy the files of this step from the training"
          + " run again";

  private static final String MIXED =
      "files of two runs are mixed or one is damaged: copy this step's files from the training run"
          + " again";

  private ExpertFailures() {}

  /** The model states are damaged. */
  static ReweaveException noSuchLayer(long layer, String place) {
    return new ReweaveException(
        "no layer has the number " + layer,
        place,
        "the file is damaged: copy it from the training run again");
  }

  /** A way to train with experts that is not read. */
  static ReweaveException folded(String place) {
    return ReweaveException.unsupported(
        "AutoEP experts that are folded with AutoTP tensor parallelism are not read",
        place,
        "train or save with expert_parallel alone (tensor-parallel size 1), and convert that");
  }

  /**
   * {@code expert_placement} or {@code affine_maps} of another kind than DeepSpeed 0.19.8 writes.
   *
   * @param layer what the names of its parameters begin with
   */
  private static ReweaveException uneven(String layer, String problem, String place) {
    return ReweaveException.unsupported(
        "AutoEP experts that are not spread evenly and in order are not read, and what is noted of "
            + layer
            + " "
            + problem,
        place,
        "save the step again with equal shares in order, which DeepSpeed 0.19.8 gives each rank");
  }

  static ReweaveException otherCounts(String layer, String place) {
    return uneven(layer, "is of other numbers of experts and ranks than the layer", place);
  }

  static ReweaveException otherExperts(String layer, long rank, List<Long> experts, String place) {
    return uneven(layer, "has experts " + experts + " in rank " + rank, place);
  }

  static ReweaveException brokenMap(String layer, String why, String place) {
    return uneven(layer, "makes no sense: " + why, place);
  }

  static ReweaveException otherPieces(String layer, String place) {
    return uneven(layer, "has other pieces than whole experts in order", place);
  }

  static ReweaveException noVersion(String layer, String key, String place) {
    return uneven(layer, key + " has no version", place);
  }

  static ReweaveException otherVersion(String layer, String key, long version, String place) {
    return uneven(layer, key + " has version " + version, place);
  }

  /** Files of another run lie in the folder. */
  static ReweaveException foreignExpert(int expert, long experts, String place) {
    return new ReweaveException(
        "this is a file of expert " + expert + ", numbered from 0, and the model has " + experts,
        place,
        "files of two runs are mixed: move those of the other run away");
  }

  /** Files of two runs are mixed. */
  static ReweaveException otherTensors(int expert, String place) {
    return new ReweaveException(
        "expert " + expert + " has other tensors than the first one of its layer",
        place,
        NOT_WHOLE);
  }

  /** Files of two runs are mixed. */
  static ReweaveException foreignTensor(int expert, String tensor, String place) {
    return new ReweaveException(
        "the file of expert " + expert + " holds a tensor that is not the expert's: " + tensor,
        place,
        NOT_WHOLE);
  }

  /** Files of experts were not copied, or are of two runs. */
  static ReweaveException otherCountInFiles(
      String tensor, long experts, int inFiles, String folder) {
    return new ReweaveException(
        tensor + " has " + experts + " experts, and files hold " + inFiles, folder, NOT_WHOLE);
  }

  /** Files of two runs are mixed. */
  static ReweaveException doNotFit(String folder, IllegalArgumentException cause) {
    return new ReweaveException(
        "experts do not fit together: " + cause.getMessage(), folder, NOT_WHOLE, cause);
  }

  /** A model whose experts have names that are not known. */
  static ReweaveException notAnExpert(String parameter, int ranks, String place) {
    return ReweaveException.unsupported(
        "parameter "
            + parameter
            + " lies in a group of "
            + ranks
            + " expert-parallel ranks, and its name is not that of an expert",
        place,
        "convert the module's own weights with --weights model");
  }

  /** Files of experts were not copied. */
  static ReweaveException countNotTold(String module, String place) {
    return new ReweaveException(
        "no layer_*_expert_*_model_states.pt tells how many experts " + module + "* has",
        place,
        MIXED);
  }

  /** Files of two runs are mixed, or one is damaged. */
  static ReweaveException notShared(ExpertName expert, int experts, int ranks, String place) {
    return new ReweaveException(
        "there are "
            + experts
            + " experts "
            + expert.before()
            + "*, shared by "
            + ranks
            + " expert-parallel ranks, and one of these has expert "
            + expert.number(),
        place,
        MIXED);
  }

  /** Files of two runs are mixed, or one is damaged. */
  static ReweaveException otherStack(
      TensorSpec ofRank, int ranks, Experts.Stack told, String place) {
    return new ReweaveException(
        ranks
            + " expert-parallel ranks have "
            + ofRank.name()
            + " of shape "
            + ofRank.shape()
            + ", and the model states tell of "
            + told.ranks()
            + " with "
            + told.experts()
            + " experts in all",
        place,
        MIXED);
  }
}
