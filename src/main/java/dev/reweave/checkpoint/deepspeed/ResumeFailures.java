package dev.reweave.checkpoint.deepspeed;

import dev.reweave.common.ReweaveException;

/** What is said of checkpoints from which no run can go on in another form. */
final class ResumeFailures {
  private static final String OTHER_RUNS =
      "files of two runs are mixed or one is damaged: copy the files of this step from the training"
          + " run again";

  private ResumeFailures() {}

  /** Saved with {@code elastic_checkpoint}, which keeps moments alone. */
  static ReweaveException noHyperparameters(String key, String place) {
    return ReweaveException.unsupported(
        "the optimizer's '" + key + "' are not in the file: without them a run cannot go on",
        place,
        "save it again without elastic_checkpoint; for the weights, leave --format universal out");
  }

  /** Files of two runs are mixed, or one is damaged. */
  static ReweaveException someRanksLack(String key, int partition, String place) {
    return new ReweaveException(
        "some ranks have '" + key + "' of partition " + partition + ", and this one has not",
        place,
        OTHER_RUNS);
  }

  /** Files of two runs are mixed, or one is damaged. */
  static ReweaveException statesDoNotFit(String key, long elements, long masters, String place) {
    return new ReweaveException(
        "sizes do not add up: '"
            + key
            + "' has "
            + elements
            + " elements, and its partition has "
            + masters
            + " masters",
        place,
        OTHER_RUNS);
  }

  /** Files of two runs are mixed, or one is damaged. */
  static ReweaveException countsDiffer(int partition, String place, String other) {
    return new ReweaveException(
        "the count of steps of partition " + partition + " is not that in " + other,
        place,
        OTHER_RUNS);
  }

  /** Each expert-parallel rank calls its own experts 0, 1 and so on, as DeepSpeed loads them. */
  static ReweaveException experts(String folder) {
    return ReweaveException.unsupported(
        "a model with experts: DeepSpeed's universal form has no place for them, as each rank"
            + " numbers its own from 0",
        folder,
        "go on with as many ranks as before, or convert the weights: leave --format universal out");
  }

  /** Weights alone. */
  static ReweaveException noOptimizer(int stage, String folder) {
    return ReweaveException.unsupported(
        "no optimizer states of ZeRO-1, 2 or 3 to go on from"
            + (stage == 0 ? ": this was trained without ZeRO" : ""),
        folder,
        "name a checkpoint with *_optim_states.pt files; for the weights, leave --format universal"
            + " out");
  }

  /** Masters or moments that lie in files of an NVMe disk. */
  static ReweaveException offloaded(String folder) {
    return ReweaveException.unsupported(
        "optimizer states on NVMe, in offloaded_tensors/, are not read but for the masters",
        folder,
        "save it without offload to NVMe; for the weights, leave --format universal out");
  }
}
