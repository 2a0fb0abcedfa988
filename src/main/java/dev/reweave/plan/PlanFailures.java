package dev.reweave.plan;

import dev.reweave.common.ReweaveException;

/** What no plan can be made of. */
final class PlanFailures {
  private PlanFailures() {}

  /** {@code --only} or {@code --exclude-frozen} leaves none. */
  static ReweaveException noTensors() {
    return ReweaveException.usage(
        "there are no tensors to convert",
        "the checkpoint",
        "look at it with 'reweave inspect', or leave --exclude-frozen or --only out");
  }

  /** The input's headers say a lot beside their tensors. */
  static ReweaveException tooMuchMetadata(long bytes, int shards, long most, Sharding sharding) {
    return ReweaveException.usage(
        "metadata of "
            + bytes
            + " bytes would stand in the header of each of "
            + shards
            + " shards, and all of them would take more than "
            + most,
        "the result",
        sharding == Sharding.LIKE_BASE
            ? "leave --shards like-base out"
            : "choose a larger --max-shard-size");
  }

  /** The mapping gives it a name that the base does not have. */
  static ReweaveException notInBase(String tensor) {
    return ReweaveException.mismatch(
        "the base has no such tensor, so its shard is not known",
        "tensor " + tensor,
        "leave --shards like-base out");
  }

  /** A name of a parameter or state that would lead out of the result's folder. */
  static ReweaveException noFolderName(String name, String place) {
    return ReweaveException.unsupported(
        "'" + name + "' cannot be the name of a folder or file of a universal checkpoint",
        place,
        "leave --format universal out to convert the weights");
  }

  /** The names are part of the format. */
  static ReweaveException fixedNames(String option) {
    return ReweaveException.usage(
        "the files of a distributed checkpoint have the names that torch looks for",
        option,
        "leave " + option + " out");
  }

  /** A base's shards are files of safetensors or torch.save. */
  static ReweaveException noShardsOfBase(String option) {
    return ReweaveException.usage(
        "a base is no distributed checkpoint, so its shards cannot be those of one",
        option + " like-base",
        "leave " + option + " out");
  }
}
