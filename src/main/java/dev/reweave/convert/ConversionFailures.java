package dev.reweave.convert;

import dev.reweave.common.FirstNames;
import dev.reweave.common.Location;
import dev.reweave.common.ReweaveException;
import java.util.List;

/** What can be wrong with a conversion as a whole, in words of the user. */
final class ConversionFailures {
  private ConversionFailures() {}

  /** The model was trained with an output layer of its own. */
  static ReweaveException tiedApart(List<String> names, String place) {
    return ReweaveException.mismatch(
        "tensors that the base ties are not the same in the checkpoint; they differ in values of "
            + FirstNames.of(names),
        place,
        "they were trained apart: convert without --base, or name as --base a folder whose"
            + " config.json says that tie_word_embeddings is false; it needs no weights");
  }

  /** {@code --weights master} with {@code --average-tags}, of buckets without names. */
  static ReweaveException orderOfMean(String place) {
    return ReweaveException.usage(
        "whose the fp32 masters are is proven step by step, and a mean is of no step",
        place,
        "leave --weights out for the mean of the model's own weights, or name one step with --tag");
  }

  /** A rule makes of masters without names what it does not make of the weights. */
  static ReweaveException orderNotProvable(List<String> names, String place) {
    return ReweaveException.mismatch(
        "whose the fp32 masters are cannot be proven of " + FirstNames.of(names),
        place,
        "leave --weights out for the model's own weights");
  }

  /** Two lines of a list, one address. */
  static ReweaveException sameOutput(Location output) {
    return ReweaveException.usage(
        "an earlier one of these conversions has the same output",
        output.uri(),
        "name another output for each");
  }

  /** NaNs or infinities, and {@code --on-nonfinite fail}. */
  static ReweaveException notFinite(String problem, boolean noneCast, boolean half, String place) {
    return ReweaveException.weights(
        "the weights are not sound: " + problem,
        place,
        (noneCast
                ? ""
                : "cast to a type that holds them (--dtype "
                    + (half ? "bfloat16, float32" : "keep")
                    + "); ")
            + "take an earlier saved step, or convert all the same with --on-nonfinite warn");
  }

  /** {@code --again} names another folder. */
  static ReweaveException noManifest(Location place) {
    return ReweaveException.notFound(
        "no manifest is there", place.uri(), "name the reweave.json of a finished conversion");
  }

  /** An older version wrote the manifest, or it was changed. */
  static ReweaveException notRepeatable(
      String reason, String place, IllegalArgumentException cause) {
    return new ReweaveException(
        ReweaveException.Kind.UNSUPPORTED_INPUT,
        "the manifest does not tell how to convert again (" + reason + ")",
        place,
        "give the options of the conversion instead",
        cause);
  }

  /** The process was told to end. */
  static ReweaveException interrupted(Location output, InterruptedException cause) {
    return new ReweaveException(
        ReweaveException.Kind.ENVIRONMENT,
        "interrupted",
        output.uri(),
        "run the command again",
        cause);
  }

  /** Training or a copy still writes to it. */
  static ReweaveException inputChanged(String difference, String first, int more) {
    return new ReweaveException(
        "the input was changed while it was converted: " + difference,
        first + (more == 0 ? "" : ", and " + more + " more"),
        "wait until nobody writes to it, then run the same command again");
  }

  /** The output is in the input or the base. */
  static ReweaveException outputInside(String what, Location output, Location folder) {
    return ReweaveException.usage(
        "the output lies inside the " + what + ", which is never written to",
        output.uri(),
        "name an output outside of " + folder);
  }

  /** The input or the base is in the output. */
  static ReweaveException inputInside(String what, Location folder) {
    return ReweaveException.usage(
        "the " + what + " lies inside the output",
        folder.uri(),
        "name an output that is new or empty");
  }

  /** Something else is there. */
  static ReweaveException notEmpty(List<String> names, Location output) {
    return ReweaveException.occupied(
        "the output is not empty: it holds "
            + names.get(0)
            + (names.size() > 1 ? " and " + (names.size() - 1) + " more" : ""),
        output.uri(),
        "name a folder that is new or empty, or replace the model in it with --overwrite");
  }

  /** A disk or a store has lost or changed bytes. */
  static ReweaveException readBackDiffers(List<String> problems, int more, Location output) {
    return new ReweaveException(
        ReweaveException.Kind.STORE_FAILED,
        "the store does not hold what was written: "
            + problems.get(0)
            + (more == 0 ? "" : ", and " + more + (more == 1 ? " more file" : " more files")),
        output.uri(),
        "check the disk or the store, then run the same command again");
  }
}
