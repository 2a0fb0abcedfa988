package dev.reweave.plan.prepare;

import dev.reweave.common.ReweaveException;
import dev.reweave.target.mapping.Mapping;
import dev.reweave.target.mapping.Mappings;
import java.util.List;
import java.util.stream.Collectors;

/** Where a checkpoint, a mapping, a base and the options do not go together. */
final class PrepareFailures {
  private PrepareFailures() {}

  /** The name or the address is misspelt. */
  static ReweaveException noMapping(String name) {
    return ReweaveException.notFound(
        "no mapping of this name comes along, and no file is there",
        "--mapping " + name,
        "give auto, none, the address of a mapping file, or one of "
            + String.join(", ", Mappings.names()));
  }

  /** They could be read in two ways. */
  static ReweaveException severalMappings(List<Mapping> fitting) {
    return ReweaveException.usage(
        "the names of the tensors fit several mappings",
        fitting.stream().map(Mapping::name).collect(Collectors.joining(", ")),
        "choose one with --mapping NAME, or keep the names with --mapping none");
  }

  /** An option that a universal checkpoint leaves no choice for. */
  static ReweaveException notForUniversal(String option, String why) {
    return ReweaveException.usage(
        option + " does not go with --format universal: " + why,
        "--format universal",
        "leave one of both out");
  }

  /** Weights alone, or the checkpoint of another trainer. */
  static ReweaveException nothingToGoOnFrom(String framework, String place) {
    return ReweaveException.unsupported(
        "a universal checkpoint is made of one of DeepSpeed with its optimizer's states, and this is"
            + " read as "
            + framework,
        place,
        "name a checkpoint of DeepSpeed; for the weights, leave --format universal out");
  }

  /** The base is a config alone. */
  static ReweaveException baseWithoutShards() {
    return ReweaveException.usage(
        "the base has no weights, and so no shards to be like",
        "--shards like-base",
        "leave it out");
  }

  /** The base is a config alone, and an adapter is to be merged into its weights. */
  static ReweaveException baseWithoutWeights(String base) {
    return ReweaveException.notFound(
        "the base has no weights that the adapter could be merged into",
        base,
        "name with --base the folder of the model that the adapter was trained on, with its"
            + " weights; or leave --merge-adapter out, to have the adapter");
  }

  /** {@code like-base} without {@code --base}. */
  static ReweaveException noBase() {
    return ReweaveException.usage(
        "there is no base to be like",
        "--shards like-base or --dtype like-base",
        "name the base with --base");
  }

  /** {@code --pipeline} for a base that needs none. */
  static ReweaveException pipelineIsKnown(String base) {
    return ReweaveException.usage(
        "the base has a model_index.json, which says of which class it is",
        base,
        "leave --pipeline out");
  }
}
