package dev.reweave.gather;

import dev.reweave.common.ReweaveException;
import dev.reweave.plan.Witness;
import java.util.List;

/** What shows when the bytes of the weights are read. */
final class GatherFailures {
  private static final int MOST_NAMES = 10;

  private GatherFailures() {}

  /**
   * Masters and module differ: files are mixed, or their order is not the saved one.
   *
   * @param differing each tensor, with how much of it differs
   * @param compared tensors that were compared
   * @param extent how much of them was
   */
  static ReweaveException notProven(
      List<String> differing, int compared, Witness.Extent extent, String place) {
    int shown = Math.min(MOST_NAMES, differing.size());
    String names =
        String.join(", ", differing.subList(0, shown)) + (shown < differing.size() ? ", …" : "");
    return ReweaveException.weights(
        "the weights are not proven: "
            + differing.size()
            + " of "
            + compared
            + " tensors are not what the module has: "
            + names,
        place,
        "files of two runs or steps are mixed, or ranks or groups in another order than they were"
            + " saved: copy the step again from the training run; --weights model converts the"
            + " module's own, "
            + (extent == Witness.Extent.ALL
                ? "leaving --prove out compares a sample"
                : "--no-proof compares nothing, as for a trainer that changes weights behind its"
                    + " optimizer"));
  }

  /**
   * Masters without names do not round to the model's weights: their order is another one, or files
   * are mixed.
   *
   * @param differing each tensor, with how much of it differs
   * @param compared tensors that were compared
   */
  static ReweaveException orderNotProven(List<String> differing, int compared, String place) {
    int shown = Math.min(MOST_NAMES, differing.size());
    return ReweaveException.weights(
        "whose the fp32 masters are is not proven: in "
            + differing.size()
            + " of "
            + compared
            + " tensors some do not round to the model's weights: "
            + String.join(", ", differing.subList(0, shown))
            + (shown < differing.size() ? ", …" : ""),
        place,
        "leave --weights out for the model's own weights; if the checkpoint was copied, copy it from"
            + " the training run again");
  }

  /** Bits have changed since they were saved. */
  static ReweaveException damaged(String place) {
    return new ReweaveException(
        "damaged weights: the checksum of a storage is not the one that was saved with it",
        place,
        "copy the file from the training run again, or convert another tag");
  }
}
