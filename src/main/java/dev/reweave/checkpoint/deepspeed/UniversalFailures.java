package dev.reweave.checkpoint.deepspeed;

import dev.reweave.common.FirstNames;
import dev.reweave.common.ReweaveException;
import dev.reweave.tensor.Shape;
import java.util.List;
import java.util.Optional;

/** What is said of universal checkpoints that are not whole. */
final class UniversalFailures {
  private static final String MAKE_AGAIN =
      "the universal checkpoint was not written or copied whole: make it again, or convert the"
          + " checkpoint that it was made from";

  private UniversalFailures() {}

  /** A universal checkpoint that was not copied whole. */
  static ReweaveException noWeights(String file, String folder) {
    return new ReweaveException("the folder of a parameter has no " + file, folder, MAKE_AGAIN);
  }

  /**
   * A universal checkpoint that was not copied whole.
   *
   * @param some names of those that are missing
   */
  static ReweaveException noFolders(int missing, int all, String some, String place) {
    return new ReweaveException(
        missing + " of " + all + " parameters have no folder: " + some, place, MAKE_AGAIN);
  }

  /** The file of a parameter is damaged, or something else. */
  static ReweaveException noParameter(String key, String place) {
    return new ReweaveException(
        "no parameter in this file",
        place,
        "it should be a tensor, or a dict with one as '"
            + key
            + "': make the universal checkpoint again");
  }

  /** Files of two runs are mixed, or one is damaged. */
  static ReweaveException otherShape(String name, Shape stored, Shape said, String place) {
    return new ReweaveException(
        "sizes do not add up: parameter "
            + name
            + " is stored in shape "
            + stored
            + ", and the model states say "
            + said,
        place,
        "files of two runs are mixed or one is damaged: make the universal checkpoint again");
  }

  /** A universal checkpoint of ranks whose converter had no masters of some tensors. */
  static ReweaveException firstPartsAlone(List<String> names, long ranks, String place) {
    return ReweaveException.unsupported(
        names.size()
            + " trained parameters have no optimizer state, and so only the first of "
            + ranks
            + " ranks' part in the universal checkpoint: "
            + FirstNames.of(names),
        place,
        "convert the checkpoint that it was made from");
  }

  /**
   * {@code ds_to_universal.py} was stopped.
   *
   * @param source the checkpoint that it was made from
   */
  private static ReweaveException halfMade(String why, Optional<String> source, String place) {
    return new ReweaveException(
        "the universal checkpoint is half made: " + why,
        place,
        "run ds_to_universal.py again, or convert the checkpoint that it was made from"
            + source.map(address -> ": " + address).orElse(""));
  }

  static ReweaveException stopped(Optional<String> source, String place) {
    return halfMade(
        "there are pieces in tmp/, and no model states, which are copied last", source, place);
  }

  static ReweaveException stoppedBefore(
      List<String> missing, int all, Optional<String> source, String place) {
    return halfMade(
        missing.size() + " of " + all + " parameters have no folder: " + FirstNames.of(missing),
        source,
        place);
  }
}
