package dev.reweave.checkpoint.deepspeed;

import dev.reweave.checkpoint.deepspeed.FlatAccount.Fragment;
import dev.reweave.common.ReweaveException;
import dev.reweave.format.pytorch.TorchValue;
import dev.reweave.tensor.DType;
import dev.reweave.tensor.PartitionedLayout;
import dev.reweave.tensor.Shape;

/** What is said where it is not clear what lies where in the partitions of ranks. */
final class PartitionFailures {
  private static final String CHANGED =
      "the file was changed after training: use the one that DeepSpeed wrote";

  private static final String TAKE_MODULE = "convert the module's own weights with --weights model";

  private PartitionFailures() {}

  /** Shapes and partitions do not fit. */
  private static ReweaveException sizes(String problem, String place) {
    return new ReweaveException(
        "sizes do not add up: " + problem,
        place,
        "files of two runs are mixed or one is damaged: copy this step's files from the training"
            + " run again");
  }

  static ReweaveException groupsDiffer(int ofShapes, int ofPartitions, String place) {
    return sizes(
        ofShapes + " groups of parameter shapes, but " + ofPartitions + " of partitions", place);
  }

  static ReweaveException unevenPartition(int group, long elements, long ofFirst, String place) {
    return sizes(
        "the partition of group "
            + group
            + " has "
            + elements
            + " elements, and that of the first rank "
            + ofFirst,
        place);
  }

  static ReweaveException groupDoesNotFit(
      int group, long elements, int ranks, long available, String place) {
    return sizes(
        "the parameters of group "
            + group
            + " have "
            + elements
            + " elements, and the "
            + ranks
            + " ranks' partitions "
            + available,
        place);
  }

  static ReweaveException gapsDiffer(int group, int parameters, int gaps, String place) {
    return sizes(
        "group "
            + group
            + " has "
            + parameters
            + " parameters, and gaps behind "
            + gaps
            + " of them are listed",
        place);
  }

  static ReweaveException groupTooLarge(int group, String place) {
    return sizes(
        "the parameters of group " + group + " with their gaps are more than any file can hold",
        place);
  }

  static ReweaveException foreignParameter(int group, String name, String place) {
    return sizes(
        "the rank's part of group "
            + group
            + " holds "
            + name
            + ", which is no parameter of the group",
        place);
  }

  static ReweaveException rankDoesNotFit(
      long needed, int rank, int ranks, long elements, String place) {
    return sizes(
        "the parameters take "
            + needed
            + " elements of each rank, and rank "
            + rank
            + " of "
            + ranks
            + " holds "
            + elements,
        place);
  }

  static ReweaveException expertRanks(long ofExperts, int ofData, String place) {
    return sizes(
        ofExperts + " expert-parallel ranks among " + ofData + " data-parallel ones", place);
  }

  static ReweaveException shapeInModule(String name, Shape said, Shape inModule, String place) {
    return sizes(
        "parameter " + name + " of shape " + said + " has shape " + inModule + " in the module",
        place);
  }

  static ReweaveException inTwoGroups(String name, String place) {
    return sizes("parameter " + name + " is in two groups", place);
  }

  static ReweaveException tooLarge(String place) {
    return sizes("the parameters have more elements in all than any file can hold", place);
  }

  static ReweaveException frozenWithoutShape(String name, String place) {
    return sizes("frozen parameter " + name + " has no shape", place);
  }

  static ReweaveException frozenDoesNotFit(
      String name, Shape shape, int rank, long elements, int ranks, String place) {
    return sizes(
        "frozen parameter "
            + name
            + " of shape "
            + shape
            + " has a piece of "
            + elements
            + " elements in rank "
            + rank
            + ", where each of "
            + ranks
            + " ranks has "
            + PartitionedLayout.sliceOf(shape.elements(), ranks),
        place);
  }

  /** The file is damaged. */
  static ReweaveException frozenPiecesDiffer(int shapes, int pieces, String place) {
    return new ReweaveException(
        shapes + " frozen parameters, but pieces of " + pieces,
        place,
        "the file is damaged: copy it from the training run again, or use --exclude-frozen");
  }

  /** ZeRO++. */
  static ReweaveException frozenQuantized(String name, String place) {
    return ReweaveException.unsupported(
        "frozen parameter "
            + name
            + " was saved quantized, without the scales (zero_quantized_nontrainable_weights)",
        place,
        "use --exclude-frozen, and take the frozen parameters from the model that was trained on");
  }

  /** The file was saved again by another program. */
  static ReweaveException frozenWithGaps(String name, String place) {
    return new ReweaveException(
        "the piece of frozen parameter " + name + " is not contiguous", place, CHANGED);
  }

  /** The file was saved again by another program. */
  static ReweaveException withGaps(String place) {
    return new ReweaveException("a flat partition is not contiguous", place, CHANGED);
  }

  /** The file is damaged, or not DeepSpeed's. */
  static ReweaveException noOptimizerState(String place) {
    return new ReweaveException(
        "no 'optimizer_state_dict' in an optimizer states file",
        place,
        "the file is damaged or not DeepSpeed's: copy it from the training run again");
  }

  /** An optimizer that keeps its masters in another way. */
  static ReweaveException noMasters(long stage, String place) {
    return ReweaveException.unsupported(
        "no fp32 master partitions of ZeRO stage " + stage, place, TAKE_MODULE);
  }

  /** Model states without the shapes of parameters. */
  static ReweaveException noShapes(String place) {
    return ReweaveException.unsupported(
        "no 'param_shapes', so nothing tells what lies where in the flat partitions",
        place,
        TAKE_MODULE);
  }

  /** Old files. */
  static ReweaveException orderNotSaved(int stage, String place) {
    return ReweaveException.unsupported(
        "DeepSpeed before 0.4.4 did not save the order in which parameters lie in the partitions",
        place,
        stage == 3
            ? "load the checkpoint with a newer DeepSpeed, save it again, and convert that"
            : TAKE_MODULE);
  }

  /** Old files of two runs are mixed, or one is damaged. */
  static ReweaveException groupsEndElsewhere(String place) {
    return new ReweaveException(
        "the parameter groups do not end where parameters do",
        place,
        "files of two runs are mixed or one is damaged: copy this step's files from the training"
            + " run again, or convert the module's own weights with --weights model");
  }

  /** What the file lists of its parts disagrees with its names, shapes and gaps. */
  static ReweaveException unclear(
      int group, String name, Fragment expected, Fragment listed, String place) {
    return new ReweaveException(
        "it is not clear where parameters lie in group "
            + group
            + ": by names, shapes and gaps the rank's part holds "
            + name
            + " at "
            + expected
            + ", and by its own account at "
            + listed,
        place,
        "files of two runs or ranks are mixed, or DeepSpeed lays out groups in a way that is not"
            + " known here: copy this step's files from the training run again, or convert the"
            + " module's own weights with --weights model");
  }

  /** A damaged list of gaps. */
  static ReweaveException negativeGap(long gap, String place) {
    return new ReweaveException(
        "a gap of " + gap + " elements behind a parameter",
        place,
        "the file is damaged: copy it from the training run again");
  }

  /** A damaged list of parts. */
  static ReweaveException noFragment(String lacking, TorchValue found) {
    return new ReweaveException(
        "expected a fragment_address with '" + lacking + "' but found " + found.kind(),
        found.place(),
        "check that the file is what its name says, and that its framework's version is supported");
  }

  /** Ranks share the model's tensors, and which has which of the files is not told. */
  static ReweaveException offloadedByModelRanks(String place) {
    return ReweaveException.unsupported(
        "masters that were offloaded to NVMe by tensor- or pipeline-parallel ranks are not read",
        place,
        "use save_16bit_model in the training run, and convert what it writes");
  }

  /** {@code offloaded_tensors} was not copied, or DeepSpeed did not save it. */
  static ReweaveException offloadedMissing(int rank, String place) {
    return new ReweaveException(
        "the masters were offloaded to NVMe, and their copy of rank " + rank + " is missing",
        place,
        "copy the folder "
            + OffloadedMasters.FOLDER
            + " of this step as well; DeepSpeed before 0.13 cannot save these, and before 0.18 it"
            + " kept those of one rank only: use save_16bit_model there");
  }

  /** A copy broke off. */
  static ReweaveException offloadedCutOff(long bytes, long elements, DType dtype, String place) {
    return new ReweaveException(
        "the file is truncated: "
            + bytes
            + " bytes for "
            + elements
            + " elements of "
            + dtype.torchName(),
        place,
        "copy it from the training run again");
  }
}
