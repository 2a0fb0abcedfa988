package dev.reweave.checkpoint.statedict;

import dev.reweave.common.ReweaveException;

/** What is said of files with a state dict that are not read, or not by these options. */
final class StateDictFailures {
  /** What to do in place of naming one file of several. */
  static final String LONE =
      "name the folder that save_checkpoint wrote, with the files of all ranks in it";

  private StateDictFailures() {}

  /** {@code --weights master}. */
  static ReweaveException noMasters(String place) {
    return ReweaveException.usage(
        "a state dict has no fp32 master weights",
        place,
        "leave --weights out, or name a checkpoint folder with optimizer states");
  }

  /** {@code --exclude-frozen}. */
  static ReweaveException frozenNotTold(String place) {
    return ReweaveException.usage(
        "a state dict does not say which parameters were frozen",
        place,
        "leave --exclude-frozen out");
  }

  /** {@code --tag}. */
  static ReweaveException noTags(String place) {
    return ReweaveException.usage(
        "there are no tags here",
        place,
        "leave --tag out, or name the folder that save_checkpoint wrote");
  }

  /** What a trainer saved without gathering. */
  static ReweaveException placeholders(int tensors, String place) {
    return ReweaveException.unsupported(
        "all " + tensors + " tensors of this file are empty: placeholders of ZeRO-3", place, LONE);
  }

  /** One of several tensor-, pipeline- or expert-parallel ranks, as other folders tell. */
  static ReweaveException oneOfFolders(String above, String place) {
    return megatronRank("one of those in the folders of " + above, "name " + above, place);
  }

  /** The same, as the arguments of the training in the file tell. */
  static ReweaveException oneOfRanks(long ranks, String degree, String place) {
    return megatronRank(
        "one of " + ranks + " ranks' (" + degree + ")",
        "name the folder of the step, with the folders of all its ranks in it (mp_rank_00, …)",
        place);
  }

  /** One of several tensor-, pipeline- or expert-parallel ranks. */
  private static ReweaveException megatronRank(String what, String remedy, String place) {
    return ReweaveException.unsupported(
        "this file of Megatron-LM or NeMo is not a whole model, but " + what,
        place,
        remedy + "; NeMo's ranks are not read: save with torch_dist there");
  }
}
