package dev.reweave.checkpoint.deepspeed;

import dev.reweave.common.ReweaveException;
import java.util.List;
import java.util.regex.PatternSyntaxException;

/** What is said where it is not clear how tensor-parallel ranks share a tensor. */
final class SlicingFailures {
  private static final int MOST_NAMES = 10;

  private SlicingFailures() {}

  /** Files of two runs are mixed, or some are missing. */
  static ReweaveException someRanksLack(String name, String folder) {
    return new ReweaveException(
        "some tensor-parallel ranks have " + name + ", and others have not",
        folder,
        "files of two runs are mixed or some are missing: copy the files of this step"
            + " from the training run again");
  }

  /** Slices do not go together as rules, patterns or pieces say. */
  static ReweaveException doNotFit(
      String name, int ranks, String folder, IllegalArgumentException cause) {
    return new ReweaveException(
        ReweaveException.Kind.MODEL_MISMATCH,
        name + " of " + ranks + " tensor-parallel ranks: " + cause.getMessage(),
        folder,
        "give another 'tensorParallel' rule for it in a file, with --mapping FILE",
        cause);
  }

  /** No patterns in the checkpoint. */
  static ReweaveException noRules(List<String> names, String folder) {
    int more = names.size() - MOST_NAMES;
    return ReweaveException.mismatch(
        "nothing says how the tensor-parallel ranks share "
            + names.size()
            + (names.size() == 1 ? " tensor: " : " tensors: ")
            + String.join(", ", names.subList(0, Math.min(MOST_NAMES, names.size())))
            + (more > 0 ? " and " + more + " more" : ""),
        folder,
        "say it in a file, and name that with --mapping FILE: {\"name\": \"my-model\","
            + " \"description\": \"slices of my model\", \"tensorParallel\": [{\"match\": \""
            + names.get(0).replaceAll("([\\\\.\\[\\]{}()*+?^$|])", "\\\\\\\\$1")
            + "\", \"dim\": 0}]}, with \"dim\": 1 for row-parallel ones, or \"kind\":"
            + " \"replicated\" or \"averaged\" in its place");
  }

  /** What the checkpoint says is damaged, or of a newer DeepSpeed. */
  private static ReweaveException unclear(String problem, String place) {
    return ReweaveException.mismatch(
        problem, place, "give a 'tensorParallel' rule for it in a file, with --mapping FILE");
  }

  static ReweaveException severalPatterns(
      String list, String name, List<String> matching, String place) {
    return unclear("several patterns of '" + list + "' match " + name + ": " + matching, place);
  }

  static ReweaveException notRegular(PatternSyntaxException cause, String pattern, String place) {
    return unclear(
        "'" + pattern + "' is not a regular expression here: " + cause.getDescription(), place);
  }

  static ReweaveException unknownVersion(long version, String maps, String name, String place) {
    return unclear(
        "version " + version + " of '" + maps + "' is not read, which may tell of " + name, place);
  }

  static ReweaveException brokenMap(String name, String why, String place) {
    return unclear("the affine map of " + name + " is no map: " + why, place);
  }

  static ReweaveException notNoted(String name, String said, String place) {
    return unclear("DeepSpeed did not note how " + name + " is shared: " + said, place);
  }

  static ReweaveException noVocabularySize(String name, String place) {
    return unclear(name + " is a padded vocabulary, and there is no 'original_vocab_size'", place);
  }

  static ReweaveException partsNotTold(String name, String place) {
    return unclear(
        "nothing tells the parts of " + name + " and their 'sub_param_shard_widths'", place);
  }
}
