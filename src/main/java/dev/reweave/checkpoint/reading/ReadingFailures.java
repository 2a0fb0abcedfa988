package dev.reweave.checkpoint.reading;

import dev.reweave.checkpoint.Place;
import dev.reweave.common.ReweaveException;
import dev.reweave.tensor.TensorSpec;
import java.util.List;
import java.util.Optional;

/** What is said of addresses that hold nothing, or several things. */
final class ReadingFailures {
  private ReadingFailures() {}

  /**
   * Nothing that is read lies in the folder.
   *
   * @param below a folder in it that holds something
   */
  static ReweaveException nothing(Optional<String> below, String place) {
    return ReweaveException.notFound(
        "no checkpoint here: neither 'latest', nor *_states.pt files, nor .metadata, nor weights"
            + " as safetensors, .bin, .pt or .ckpt",
        place,
        below.isPresent()
            ? "name the folder in it that is meant, such as " + below.get()
            : "name the folder that save_checkpoint wrote, a tag folder in it, the folder of a"
                + " model, or one file of weights");
  }

  /** {@code --weights ema}, and folders of averages of several networks. */
  static ReweaveException severalAverages(List<String> names, String first, Place place) {
    return ReweaveException.usage(
        "there are averages of several models here: " + String.join(", ", names),
        place.address().uri(),
        "name the folder of one, such as " + first + ", and leave --weights out");
  }

  /** Steps of different models, or of one whose layers or types have changed. */
  static ReweaveException stepsApart(String tag, String other, String what, String place) {
    return ReweaveException.unsupported(
        "the steps " + tag + " and " + other + " have no mean: " + what,
        place,
        "name steps of one model with --average-tags");
  }

  /** Optimizer states are missing in some. */
  static ReweaveException stepsOfTwoKinds(String tag, String other, String place) {
    return ReweaveException.unsupported(
        "the steps "
            + tag
            + " and "
            + other
            + " have no mean: one has fp32 master weights, the other the module's own",
        place,
        "take the module's own of all with --weights model, or copy the missing *_optim_states.pt"
            + " files");
  }

  /** Quantized weights, of which each step has scales of its own. */
  static ReweaveException noMeanOf(TensorSpec spec, String place) {
    return ReweaveException.unsupported(
        spec.name() + " is quantized (" + spec.dtype() + "), and there is no mean of such weights",
        place,
        "convert each step to bfloat16 first, or leave --average-tags out");
  }

  /** {@code {tag}} or {@code --tag all} for an input without steps. */
  static ReweaveException noSteps(String place) {
    return ReweaveException.notFound(
        "there are no saved steps here, and so no tags",
        place,
        "name the folder that save_checkpoint wrote, or an --output without {tag}");
  }

  /** Models that a trainer saved side by side. */
  static ReweaveException severalSteps(
      List<String> described, int more, String first, String place) {
    return ReweaveException.usage(
        "there are several models here: " + listed(described, more),
        place,
        "choose one with --tag " + first);
  }

  /**
   * Several stems or variants.
   *
   * @param described some of them, each with what tells it from the others
   * @param more how many others there are
   * @param named the address of one that can be named by itself
   * @param movable names of those that cannot
   */
  static ReweaveException severalModels(
      List<String> described,
      int more,
      Optional<String> named,
      List<String> movable,
      String place) {
    String move =
        "move the files of " + String.join(", or ", movable) + " to a folder of their own";
    return ReweaveException.usage(
        "there are several models here: " + listed(described, more),
        place,
        named.isEmpty()
            ? move
            : "name the one that is meant, such as "
                + named.get()
                + (movable.isEmpty() ? "" : "; or " + move));
  }

  private static String listed(List<String> described, int more) {
    return String.join(", ", described) + (more > 0 ? " and " + more + " more" : "");
  }
}
