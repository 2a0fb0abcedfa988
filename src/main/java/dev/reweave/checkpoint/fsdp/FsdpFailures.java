package dev.reweave.checkpoint.fsdp;

import dev.reweave.common.ReweaveException;
import dev.reweave.tensor.DType;
import dev.reweave.tensor.Shape;
import java.util.Collection;
import java.util.List;

/** What is said of files of FSDP's ranks that are not read, or do not fit each other. */
final class FsdpFailures {
  private static final int MOST_NAMES = 10;

  private static final String AGAIN =
      "copy the files of all ranks again from the training run, all of one step";

  private static final String WHOLE =
      "save whole tensors (get_model_state_dict with full_state_dict, or FULL_STATE_DICT), or save"
          + " with torch.distributed.checkpoint, and name that folder";

  private FsdpFailures() {}

  /** One rank's file, named by itself. */
  static ReweaveException oneOfRanks(int ranks, String folder, String place) {
    return ReweaveException.usage(
        "one of the files of " + ranks + " ranks, each with its part of the tensors",
        place,
        "name the folder with all of them: "
            + folder
            + "; if this is a whole model, give it a name without a rank");
  }

  /** Ranks save their files on machines of their own, and not all were copied. */
  static ReweaveException missingRanks(List<String> missing, long ranks, String place) {
    List<String> first = missing.subList(0, Math.min(MOST_NAMES, missing.size()));
    return new ReweaveException(
        "of the files of "
            + ranks
            + " ranks some are missing: "
            + String.join(", ", first)
            + (missing.size() > first.size() ? ", …" : ""),
        place,
        "copy them from the training run, each rank's from its machine");
  }

  /** Training went on with another number of processes, and saved into the same folder. */
  static ReweaveException twoWorlds(Collection<Integer> worlds, String place) {
    return ReweaveException.usage(
        "the files of ranks of several runs are here: their names count " + worlds + " ranks",
        place,
        "move those of all but one number to folders of their own");
  }

  /** Two names for one rank. */
  static ReweaveException twoFilesOfRank(int rank, String place) {
    return ReweaveException.usage(
        "there are two files of rank " + rank, place, "move one of them to another folder");
  }

  /** A file was renamed, or is of another run. */
  static ReweaveException otherWorld(long said, long named, String place) {
    return new ReweaveException(
        "the files tell of " + said + " ranks, and their names of " + named, place, AGAIN);
  }

  /** A file was renamed, or is of another run. */
  static ReweaveException otherRank(long own, int named, String place) {
    return new ReweaveException(
        "the file says that it is of rank " + own + ", and its name that it is of rank " + named,
        place,
        "give the file back the name that it was saved under");
  }

  /** A damaged or hostile file. */
  static ReweaveException otherIndex(String own, String computed, int rank, String place) {
    return new ReweaveException(
        "the mesh has rank " + rank + " at " + computed + ", and says that it is at " + own,
        place,
        AGAIN);
  }

  /** {@code LOCAL_STATE_DICT} of FSDP1: parameters of a module in one, without names or shapes. */
  static ReweaveException flat(String name, String place) {
    return ReweaveException.unsupported(
        "'"
            + name
            + "' is a flat parameter of FSDP's LOCAL_STATE_DICT: what parameters are in it, and of"
            + " what shapes, stands in no file",
        place,
        "load the checkpoint with the program that saved it, and save it under SHARDED_STATE_DICT"
            + " or FULL_STATE_DICT (fsdp_state_dict_type of Accelerate)");
  }

  /** The tensor was saved in the middle of a computation. */
  static ReweaveException partial(String name, String place) {
    return ReweaveException.unsupported(
        "'"
            + name
            + "' is a DTensor with a Partial placement: its ranks' elements are still to be"
            + " added up",
        place,
        "call redistribute or full_tensor on it where it was saved");
  }

  /** A version of torch that is not known, or a hostile file. */
  static ReweaveException unknownPlacement(String name, String kind, String place) {
    return ReweaveException.unsupported(
        "'" + name + "' has a placement that is not known: " + kind, place, WHOLE);
  }

  /** A version of torch that is not known, or a hostile file. */
  static ReweaveException unknownMesh(String place) {
    return ReweaveException.unsupported("a DeviceMesh of a form that is not known", place, WHOLE);
  }

  /** A version of torch that is not known, or a hostile file. */
  static ReweaveException unknownForm(String name, String kind, String what, String place) {
    return ReweaveException.unsupported(
        "'" + name + "' is " + kind + " of a form that is not known: it lacks " + what,
        place,
        WHOLE);
  }

  /** A version of torch that is not known, or a hostile file. */
  static ReweaveException notTorch(String kind, String what, String place) {
    return ReweaveException.unsupported(
        "a sharded tensor of a form that is not known: " + kind + " without '" + what + "'",
        place,
        WHOLE);
  }

  /** A damaged or hostile file. */
  static ReweaveException meshDoesNotFit(String place, RuntimeException cause) {
    return new ReweaveException(
        "a DeviceMesh that does not fit itself: " + cause.getMessage(), place, AGAIN, cause);
  }

  /** A damaged or hostile file. */
  static ReweaveException placementsDoNotFit(
      String name, int placements, int dimensions, String place) {
    return new ReweaveException(
        "'"
            + name
            + "' has "
            + placements
            + " placements on a mesh of "
            + dimensions
            + " dimensions",
        place,
        AGAIN);
  }

  /** A damaged or hostile file. */
  static ReweaveException noDimension(String name, long dim, int rank, String place) {
    return new ReweaveException(
        "'" + name + "' is cut along dimension " + dim + ", and has " + rank, place, AGAIN);
  }

  /** A damaged or hostile file. */
  static ReweaveException cutDoesNotFit(String name, String place, RuntimeException cause) {
    return new ReweaveException(
        "'" + name + "' is cut in a way that no mesh cuts: " + cause.getMessage(),
        place,
        AGAIN,
        cause);
  }

  /** A damaged or hostile file. */
  static ReweaveException twoShapes(String name, Shape one, Shape other, String place) {
    return new ReweaveException(
        "'" + name + "' is of shape " + one + ", and its DTensorSpec of shape " + other,
        place,
        AGAIN);
  }

  /** A damaged or hostile file. */
  static ReweaveException otherPart(String name, Shape local, String expected, String place) {
    return new ReweaveException(
        "the file has a part of '"
            + name
            + "' of shape "
            + local
            + ", where its rank has "
            + expected,
        place,
        AGAIN);
  }

  /** A damaged or hostile file. */
  static ReweaveException otherType(String name, DType local, DType said, String place) {
    return new ReweaveException(
        "the file has a part of '" + name + "' of type " + local + ", which should be " + said,
        place,
        AGAIN);
  }

  /** Files of two steps or models. */
  static ReweaveException notInFile(String name, String other, String place) {
    return new ReweaveException(
        "'" + name + "' is not in this file, and in that of another rank, " + other, place, AGAIN);
  }

  /** Files of two steps or models. */
  static ReweaveException otherwiseInFile(String name, String first, String other, String place) {
    return new ReweaveException(
        "'" + name + "' is " + other + "; in the first rank's file it is " + first, place, AGAIN);
  }

  /** Files of two runs, or a damaged one. */
  static ReweaveException piecesDoNotFit(String name, String place, RuntimeException cause) {
    return new ReweaveException(
        "the parts that ranks have of '" + name + "' do not make it up: " + cause.getMessage(),
        place,
        AGAIN,
        cause);
  }
}
