package dev.reweave.checkpoint.deepspeed;

import dev.reweave.common.Counted;
import dev.reweave.common.ReweaveException;

/** What is said of one file of several that was named by itself. */
final class LoneFileFailures {
  private LoneFileFailures() {}

  /** {@code zero/<name>/fp32.pt}, named by itself. */
  static ReweaveException parameter(String folder, String place) {
    return ReweaveException.usage(
        "this is the file of one parameter of a universal checkpoint",
        place,
        "name the folder of the checkpoint: " + folder);
  }

  /** One file of DeepSpeed's, named by itself. */
  private static ReweaveException notWhole(String what, String place, String remedy) {
    return ReweaveException.usage("this file is not a whole model, but " + what, place, remedy);
  }

  static ReweaveException optimizerStates(String place, String remedy) {
    return notWhole("one rank's part of the optimizer states", place, remedy);
  }

  static ReweaveException optimizerStatesOfExperts(String place, String remedy) {
    return notWhole("the optimizer states of experts, without weights", place, remedy);
  }

  static ReweaveException layer(String place, String remedy) {
    return notWhole("one layer of a pipeline", place, remedy);
  }

  static ReweaveException expert(String place, String remedy) {
    return notWhole("one expert of a model", place, remedy);
  }

  static ReweaveException modelRank(int rank, String place, String remedy) {
    return notWhole("the part of tensor- or pipeline-parallel rank " + rank, place, remedy);
  }

  static ReweaveException oneOfModelRanks(long ranks, String place, String remedy) {
    return notWhole(
        "one of those of " + ranks + " tensor- or pipeline-parallel ranks", place, remedy);
  }

  static ReweaveException besideLayers(String place, String remedy) {
    return notWhole(
        "what a pipeline has beside its layers, which are in files of their own", place, remedy);
  }

  static ReweaveException besideExperts(String place, String remedy) {
    return notWhole(
        "what a model has beside its experts, which are in files of their own", place, remedy);
  }

  static ReweaveException placeholders(long count, String place, String remedy) {
    return notWhole(
        "one of those of ZeRO-3, which has " + Counted.of(count, "placeholder") + " for parameters",
        place,
        remedy);
  }

  static ReweaveException slices(long count, String place, String remedy) {
    return notWhole(
        "one of those of ZeRO-3, which has slices of " + Counted.of(count, "parameter"),
        place,
        remedy);
  }
}
