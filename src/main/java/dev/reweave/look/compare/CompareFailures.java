package dev.reweave.look.compare;

import dev.reweave.common.Location;
import dev.reweave.common.ReweaveException;

/** What cannot be compared, in words of the user. */
final class CompareFailures {
  private CompareFailures() {}

  /** The checkpoint has no second copy of its weights. */
  static ReweaveException noCopy(String missing, Location checkpoint) {
    return ReweaveException.unsupported(
        "nothing can be compared: " + missing,
        checkpoint.uri(),
        "call save_16bit_model in the training run, for a folder in that of the" + " checkpoint");
  }

  /** {@code --average-tags} made it, so that no step has its weights. */
  static ReweaveException meanOfSteps(String tags, Location folder) {
    return ReweaveException.usage(
        "nothing can be compared: this is the mean of several steps",
        folder.uri(),
        "compare it with their mean: reweave diff CHECKPOINT "
            + folder
            + " --average-tags "
            + tags);
  }

  /** The manifest was changed, and an adapter was merged that was saved alone. */
  static ReweaveException noBase(Location folder, IllegalArgumentException cause) {
    return new ReweaveException(
        ReweaveException.Kind.UNSUPPORTED_INPUT,
        "the manifest does not tell which base the adapter was merged into ("
            + cause.getMessage()
            + ")",
        folder.uri(),
        "convert the adapter again",
        cause);
  }

  /** Another checkpoint is named. */
  static ReweaveException noSharedName(String place) {
    return ReweaveException.mismatch(
        "nothing can be compared: no tensor of the folder has the name of one in the module, and"
            + " its type or float32",
        place,
        "name the checkpoint that the folder was converted from");
  }

  /** {@code verify} of another folder. */
  static ReweaveException noWeights(Location folder) {
    return ReweaveException.notFound(
        "there are no files of weights here",
        folder.uri(),
        "name a folder that 'reweave convert' wrote");
  }

  /** {@code --only} leaves none on either side. */
  static ReweaveException nothingWanted(Location first, Location second) {
    return new ReweaveException(
        "there is nothing to compare: neither side has a tensor that is wanted",
        first + " and " + second,
        "look at the names with 'reweave inspect', or leave --only out");
  }
}
