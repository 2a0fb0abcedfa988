package dev.reweave.checkpoint.deepspeed;

import dev.reweave.common.ReweaveException;
import dev.reweave.tensor.Shape;
import java.util.List;

/** What is said of the module's own weights, in model states and in files of layers. */
final class ModuleFailures {
  private static final int MOST_NAMES = 10;

  private ModuleFailures() {}

  /** {@code --weights model}. */
  static ReweaveException partitioned(String folder) {
    return ReweaveException.usage(
        "a ZeRO-3 checkpoint keeps no whole module weights",
        folder,
        "convert the fp32 masters: leave --weights out");
  }

  /** {@code --weights model}, or no optimizer states to take the masters from. */
  static ReweaveException partitionedWithoutMasters(String folder) {
    return ReweaveException.usage(
        "a ZeRO-3 checkpoint keeps no whole module weights",
        folder,
        "its *_optim_states.pt files are missing: copy them from the training run");
  }

  /** {@code --exclude-frozen}. */
  static ReweaveException frozenNotTold(String place) {
    return ReweaveException.usage(
        "the checkpoint does not say which parameters were frozen",
        place,
        "leave --exclude-frozen out");
  }

  /** The weights were saved elsewhere, or files of layers were not copied. */
  static ReweaveException empty(String place) {
    return new ReweaveException(
        "'module' holds no tensors",
        place,
        "the weights were saved elsewhere, or the layer_*-model_states.pt files of a pipeline"
            + " are missing: copy them from the training run");
  }

  /** Files of two runs are mixed. */
  static ReweaveException stagesDisagree(String name, Shape first, Shape other, String folder) {
    return new ReweaveException(
        "pipeline stages disagree on " + name + ": " + first + " and " + other,
        folder,
        "files of two runs are mixed: copy the files of this step from the training run again");
  }

  /** Several layers have tensors of the same names and shapes. */
  static ReweaveException unclearLayer(List<String> prefixes, String place) {
    return ReweaveException.unsupported(
        "the layer can be any of " + prefixes,
        place,
        "convert the fp32 masters: leave --weights out");
  }

  /** Files of layers were not copied, or are of another run. */
  static ReweaveException inNoLayer(List<String> missing, String folder) {
    return new ReweaveException(
        "no layer file holds "
            + String.join(", ", missing.subList(0, Math.min(MOST_NAMES, missing.size())))
            + (missing.size() > MOST_NAMES
                ? " and " + (missing.size() - MOST_NAMES) + " more"
                : ""),
        folder,
        "the checkpoint was not saved or copied whole: copy the files of this step from the training"
            + " run again");
  }
}
