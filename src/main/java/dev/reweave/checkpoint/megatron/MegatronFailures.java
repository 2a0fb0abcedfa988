package dev.reweave.checkpoint.megatron;

import dev.reweave.common.Counted;
import dev.reweave.common.FirstNames;
import dev.reweave.common.ReweaveException;
import java.util.List;
import java.util.Optional;

/** What is said of the files of Megatron-LM's ranks that are not read. */
final class MegatronFailures {
  private static final String COPY_AGAIN =
      "files of two runs are mixed, or some are missing: copy the folders of all ranks of this step"
          + " from the training run again";

  private static final String CONVERT =
      "load it with Megatron-LM and save it with --ckpt-format torch_dist, and name that folder";

  private MegatronFailures() {}

  /**
   * Files of some ranks were not copied.
   *
   * @param names some of them
   */
  static ReweaveException missingRanks(List<String> names, String place) {
    return ReweaveException.notFound(
        "of the ranks of this step " + FirstNames.of(names) + " are not here",
        place,
        "copy the folders of all tensor-, pipeline- and expert-parallel ranks from the training run");
  }

  /** Folders of two runs in one place. */
  static ReweaveException mixedFolders(String one, String other, String place) {
    return new ReweaveException(
        "folders of ranks of two kinds: " + one + " and " + other, place, COPY_AGAIN);
  }

  /**
   * More ranks than the arguments of the training tell.
   *
   * @param said empty where they do not tell it at all
   */
  static ReweaveException otherDegree(int found, Optional<Long> said, String name, String place) {
    return new ReweaveException(
        "there are folders of "
            + Counted.of(found, "rank")
            + ", and the arguments of the training "
            + said.map(s -> "say " + name + " " + s).orElse("have no " + name),
        place,
        COPY_AGAIN);
  }

  /** Files of two steps or runs in one place. */
  static ReweaveException otherStep(String one, String other, String place) {
    return new ReweaveException(
        "not of one step: the first rank's file is of " + one + ", and this one of " + other,
        place,
        COPY_AGAIN);
  }

  /** What an early Megatron-LM saved: its queries, keys and values lie in another order. */
  static ReweaveException oldVersion(String version, String place) {
    return ReweaveException.unsupported(
        "a checkpoint of version "
            + version
            + ", in which queries, keys and values lie in another order than since version 2.0",
        place,
        "load it with a Megatron-LM that has fix_query_key_value_ordering, and save it again");
  }

  /** A file of another program, or of an optimizer. */
  static ReweaveException noModel(String place) {
    return ReweaveException.unsupported(
        "no dict 'model' or 'model0' in this file",
        place,
        "name the folder of a step that Megatron-LM saved with --ckpt-format torch");
  }

  /** Keys with dots. */
  static ReweaveException twoOfOneName(String name, String place) {
    return new ReweaveException("two tensors are called '" + name + "'", place, CONVERT);
  }

  /** A stage of the pipeline is not whole. */
  static ReweaveException gapInLayers(int layers, int last, String place) {
    return new ReweaveException(
        Counted.of(layers, "layer") + " in one stage, the last of which is number " + last,
        place,
        COPY_AGAIN);
  }

  /** Files of two runs, or of a model that was cut in a way that is not known. */
  static ReweaveException otherLayers(int found, long said, String place) {
    return new ReweaveException(
        "all stages together have "
            + Counted.of(found, "layer")
            + ", and the arguments of the training say num_layers "
            + said,
        place,
        COPY_AGAIN);
  }

  /** Files of two runs in one place. */
  static ReweaveException otherTensors(String name, String place) {
    return new ReweaveException(
        "some ranks of a stage have " + name + ", and others have not", place, COPY_AGAIN);
  }

  /** Files of two runs in one place. */
  static ReweaveException otherStages(int one, int other, String place) {
    return new ReweaveException(
        "ranks with " + one + " and with " + other + " virtual stages of the pipeline",
        place,
        COPY_AGAIN);
  }

  /** Experts are cut for fewer tensor-parallel ranks than all else. */
  static ReweaveException expertsCutOtherwise(long experts, long others, String place) {
    return ReweaveException.unsupported(
        "experts are shared by "
            + experts
            + " tensor-parallel ranks, and all else by "
            + others
            + " (expert_tensor_parallel_size)",
        place,
        CONVERT);
  }

  /** Experts were multiplied by the older grouped kernel. */
  static ReweaveException expertsInOneTensor(String name, String place) {
    return ReweaveException.unsupported(
        name + " has all experts of a rank in it, in an order of its own", place, CONVERT);
  }

  /** Slices do not go together. */
  static ReweaveException doNotFit(
      String name, int ranks, String place, IllegalArgumentException cause) {
    return new ReweaveException(
        ReweaveException.Kind.MODEL_MISMATCH,
        name + " of " + Counted.of(ranks, "tensor-parallel rank") + ": " + cause.getMessage(),
        place,
        "give a 'tensorParallel' rule for it in a file, with --mapping FILE",
        cause);
  }

  /** Layers of the trainer's own. */
  static ReweaveException notKnown(List<String> names, String place) {
    return ReweaveException.mismatch(
        "how the tensor-parallel ranks share "
            + Counted.of(names.size(), "tensor")
            + " is not known: "
            + FirstNames.of(names),
        place,
        "say it by 'tensorParallel' rules in a file, with --mapping FILE");
  }

  /** {@code --weights master}. */
  static ReweaveException noMasters(String place) {
    return ReweaveException.usage(
        "the fp32 masters in the files of Megatron-LM's ranks have no names",
        place,
        "leave --weights out for the model's own weights, or save with --ckpt-format torch_dist");
  }

  /** {@code --exclude-frozen}. */
  static ReweaveException frozenNotTold(String place) {
    return ReweaveException.usage(
        "Megatron-LM's files do not say which parameters were frozen",
        place,
        "leave --exclude-frozen out");
  }

  /** {@code --tag} for the folder of another step. */
  static ReweaveException anotherStep(String step, String tag, String place) {
    return ReweaveException.usage(
        "this is the folder of '" + step + "', and --tag asks for '" + tag + "'",
        place,
        "leave --tag out, or name the folder above");
  }
}
