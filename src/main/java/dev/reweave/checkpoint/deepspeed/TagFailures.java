package dev.reweave.checkpoint.deepspeed;

import dev.reweave.common.ReweaveException;
import java.util.List;

/** What is said where it is not clear which saved step is meant, or it is not there. */
final class TagFailures {
  private TagFailures() {}

  /** The folder of one step was named, and another step is asked for. */
  static ReweaveException anotherTag(String name, String wanted, String place) {
    return ReweaveException.usage(
        "this is the folder of tag '" + name + "', and --tag asks for " + wanted,
        place,
        "name the folder above it, or leave --tag out");
  }

  /** {@code --tag}, or what {@code latest} says, is no name of a folder. */
  static ReweaveException noName(String tag, List<String> tags, String place) {
    return ReweaveException.usage(
        "'" + tag + "' cannot be a tag", place, "name one of " + tags + " with --tag");
  }

  /** The name is misspelt, or the step was deleted. */
  static ReweaveException noTag(String tag, List<String> tags, String place) {
    return ReweaveException.notFound(
        "there is no tag '" + tag + "'",
        place,
        tags.isEmpty()
            ? "there are no other tags: the checkpoint was not saved or copied whole"
            : "choose one of " + tags + " with --tag");
  }

  /** {@code latest} names a step that was deleted or not copied. */
  static ReweaveException latestMissing(
      String latest, String tag, List<String> tags, String place) {
    return new ReweaveException(
        "'" + latest + "' names tag '" + tag + "', which is not there",
        place,
        tags.isEmpty()
            ? "there are no other tags: the checkpoint was not saved or copied whole"
            : "choose one of " + tags + " with --tag");
  }

  /** The run died while saving, or the folder was not copied whole. */
  static ReweaveException noStates(String tag, String place) {
    return new ReweaveException(
        "tag '" + tag + "' holds no *_model_states.pt and no *_optim_states.pt",
        place,
        "the checkpoint was not saved or copied whole, or is of another kind");
  }

  /** Which step is not clear. */
  static ReweaveException unclear(List<String> tags, String place) {
    return ReweaveException.usage(
        "there is no 'latest' file, and several tags: " + tags, place, "choose one with --tag");
  }
}
