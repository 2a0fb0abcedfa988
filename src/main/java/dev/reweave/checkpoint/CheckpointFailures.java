package dev.reweave.checkpoint;

import dev.reweave.common.Counted;
import dev.reweave.common.FirstNames;
import dev.reweave.common.ReweaveException;
import dev.reweave.format.pytorch.TorchValue;
import java.util.Collection;
import java.util.List;

/** What is said of files that are not read, whichever trainer wrote them. */
final class CheckpointFailures {
  private CheckpointFailures() {}

  /** {@code --weights} with nothing behind it. */
  static ReweaveException nothingNamed() {
    return ReweaveException.usage(
        "no weights are named", "--weights", "name master, model, or a key of a torch file");
  }

  /** {@code --part} with {@code --merge-adapter}. */
  static ReweaveException partOfMerged() {
    return ReweaveException.usage(
        "a part is asked for of what is to be merged",
        "--part with --merge-adapter",
        "leave one of them out: --part gives the base or the adapter, --merge-adapter both in one");
  }

  /**
   * {@code --part adapter}, and no {@code adapter_config.json} that says enough.
   *
   * @param missing keys of the config
   * @param example of a config that has them
   */
  static ReweaveException noAdapterConfig(String missing, String example, String place) {
    return ReweaveException.notFound(
        "PEFT loads no adapter without its adapter_config.json, and names and shapes do not tell "
            + missing,
        place,
        "name with --adapter-config the file that PEFT saved, or one with what is missing, such as "
            + example);
  }

  /** {@code --average-tags} with {@code --merge-adapter}. */
  static ReweaveException meanOfMerged() {
    return ReweaveException.usage(
        "steps are to be averaged and an adapter merged: a mean of products is no product of means",
        "--average-tags with --merge-adapter",
        "leave one of them out: average to a folder of its own, then convert that with"
            + " --merge-adapter and --adapter-config");
  }

  /** {@code --average-tags} beside {@code --tag}. */
  static ReweaveException oneStepAndSeveral() {
    return ReweaveException.usage(
        "--tag asks for one step, and --average-tags for several",
        "--average-tags",
        "leave one of them out");
  }

  /** More than were saved, or are still there. */
  static ReweaveException fewerSteps(int wanted, Collection<String> steps, String place) {
    return ReweaveException.notFound(
        "there are no " + wanted + " saved steps here, but " + steps.size() + ": " + steps,
        place,
        "name fewer with --average-tags");
  }

  /** A key for what is no torch file. */
  static ReweaveException noChoice(String key, String place) {
    return ReweaveException.usage(
        "there are no weights '" + key + "' here",
        place,
        "leave --weights out, or name the torch file that holds a dict of this key");
  }

  /**
   * No such key.
   *
   * @param others keys of weights in the file, with their sizes; empty if there are none
   */
  static ReweaveException noSuchWeights(String key, String others, String place) {
    return ReweaveException.usage(
        "there are no weights '" + key + "' in this file", place, choice(others));
  }

  /** An average that was saved without names, and without the model that could tell them. */
  static ReweaveException withoutNames(String key, String place) {
    return ReweaveException.unsupported(
        "'" + key + "' is a list: its tensors have no names, and there is no model beside it",
        place,
        "save it in one file with the model's state dict, or as a dict with the names of the"
            + " parameters");
  }

  /**
   * An average of other parameters than the model beside it has, or of some of them.
   *
   * @param key of the list
   * @param at index of the first that does not agree
   * @param what is the matter with it
   */
  static ReweaveException notInOrder(String key, int at, String what, String place) {
    return ReweaveException.unsupported(
        "'"
            + key
            + "' is a list without names, and does not go with the parameters of the model beside"
            + " it: number "
            + at
            + " is "
            + what,
        place,
        "save it as a dict with the names of the parameters, or leave --weights out to convert the"
            + " model");
  }

  /** Two moving averages, of two networks or two decays; {@code --weights ema} could mean both. */
  static ReweaveException severalAverages(List<String> keys, String place) {
    return ReweaveException.usage(
        "there are several averages of weights here: '" + String.join("', '", keys) + "'",
        place,
        "name one with --weights, by its whole key");
  }

  /** mmengine saves the average as the model, and the model as the average. */
  static ReweaveException exchangedAverage(String key, String place) {
    return ReweaveException.usage(
        "mmengine exchanges the two sets of weights before it saves them: 'state_dict' has the"
            + " averaged ones, '"
            + key
            + "' those that were trained",
        place,
        "leave --weights out for the average, or take those that were trained with --weights "
            + key);
  }

  /** {@code LitEma}, with names that could be two names of the model, or none. */
  static ReweaveException namesWithoutDots(String name, String place) {
    return ReweaveException.unsupported(
        "the names of this average have lost their dots, and '"
            + name
            + "' is not that of one tensor of the model",
        place,
        "save the average as a state dict of the model (ema.copy_to(model), then"
            + " model.state_dict()), or leave --weights out");
  }

  private static String choice(String others) {
    return others.isEmpty()
        ? "leave --weights out"
        : "name one of these with --weights, or leave it out: " + others;
  }

  /** The file is no checkpoint, or its tensors are not in a dict. */
  static ReweaveException noStateDict(Collection<String> keys, String place) {
    return ReweaveException.unsupported(
        "no state dict in this file",
        place,
        "it should be a dict of tensors, bare or under one of " + keys);
  }

  /**
   * A torch file with two networks.
   *
   * @param sets their keys, with their sizes
   * @param first of the keys
   */
  static ReweaveException severalWeights(String sets, String first, String place) {
    return ReweaveException.usage(
        "there are several sets of weights in this file: " + sets,
        place,
        "choose one with --weights " + first);
  }

  /** Two keys of a state dict are the same as text, such as {@code 1} and {@code '1'}. */
  static ReweaveException twoOfOneName(String name, String place) {
    return new ReweaveException(
        "two tensors are called '" + name + "'",
        place,
        "give one of them another name, which is text, where they were saved");
  }

  /**
   * A state dict in a state dict, or a list of tensors in one.
   *
   * @param path keys that lead to the state dict
   */
  static ReweaveException tensorsWithin(String name, TorchValue value, List<String> path) {
    return ReweaveException.unsupported(
        "'" + name + "' is " + value.kind() + " with tensors in it, not a plain tensor",
        value.place(),
        "save its tensors under names of their own in the state dict"
            + (value.isDict()
                ? ", or, if they are another model's, convert these with --weights "
                    + String.join(".", path)
                    + (path.isEmpty() ? "" : ".")
                    + name
                : ""));
  }

  /** FSDP saved what each rank has of a tensor. */
  static ReweaveException sliceOfTensor(String name, TorchValue value) {
    return ReweaveException.unsupported(
        "'" + name + "' is " + value.kind() + ", not a plain tensor but one rank's part of one",
        value.place(),
        "save whole tensors (get_model_state_dict with full_state_dict, or FULL_STATE_DICT), or"
            + " all ranks' with torch.distributed.checkpoint, and name that folder");
  }

  /** A weight is quantized, sparse, nested, conjugated, of a wrapping class, or an object. */
  static ReweaveException notPlain(String name, TorchValue value) {
    return ReweaveException.unsupported(
        "'" + name + "' is " + value.kind() + ", not a plain tensor",
        value.place(),
        TorchValue.AS_PLAIN);
  }

  /** Tensor-parallel files, or shards of each rank, without a word on how to join them. */
  static ReweaveException oneOfRanks(long ranks, String place) {
    return ReweaveException.unsupported(
        "one of the files of "
            + Counted.of(ranks, "rank")
            + ", each with its part of the tensors, and none says how they were cut",
        place,
        "put them together with the tool of what saved them, or save the whole model on one rank,"
            + " and name the result; if this is a whole model, give it a name without a rank");
  }

  /** {@code --tag}. */
  static ReweaveException noStep(String tag, Collection<String> steps, String place) {
    return ReweaveException.notFound(
        "there is no saved step '" + tag + "' here",
        place,
        "choose one of " + steps + " with --tag");
  }

  /** The newest step was not copied, or removed since. */
  static ReweaveException newestMissing(String said, Collection<String> steps, String place) {
    return ReweaveException.notFound(
        "the newest step should be " + said + ", which is not here",
        place,
        "copy it from the training run, or choose one of " + steps + " with --tag");
  }

  /** {@code --strict}, and an unknown key or file, or a newer version; the message names it. */
  static ReweaveException notAllKnown(List<Caution> cautions) {
    return ReweaveException.unsupported(
        "not all of this checkpoint is known: "
            + FirstNames.of(cautions.stream().map(Caution::problem).toList()),
        cautions.get(0).place(),
        "convert with a version of Reweave that knows it, or without --strict, and "
            + Caution.COMPARE);
  }
}
