package dev.reweave.checkpoint.huggingface;

import dev.reweave.common.Counted;
import dev.reweave.common.FirstNames;
import dev.reweave.common.ReweaveException;
import dev.reweave.format.safetensors.SavedOffsets;
import dev.reweave.tensor.TensorSpec;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** What is said of models of libraries, whole or in slices, that are not read or not sound. */
final class HuggingFaceFailures {
  private static final int MOST_NAMES = 10;
  private static final int MOST_MISSING = 100;

  private static final String NOT_TOGETHER =
      "index and shards are not of one model: copy them again from one source, or convert again";

  private static final String AGAIN =
      "copy all files of all ranks again from the training run, each rank's from its machine";

  private HuggingFaceFailures() {}

  /** A file was named that is a part of a model. */
  static ReweaveException partWithIndex(long shards, String index, String place) {
    return ReweaveException.usage(
        "this is one of " + shards + " shards of a model", place, "name its index: " + index);
  }

  /** A file was named that is a part of a model, and other parts were not copied. */
  static ReweaveException partAlone(long shards, List<String> missing, String place) {
    return ReweaveException.usage(
        "this is one of "
            + shards
            + " shards of a model, and "
            + missing.size()
            + " of them are not beside it",
        place,
        "copy them to the same folder, and name the folder: " + names(missing));
  }

  /** A file was named that is a part of a model without an index. */
  static ReweaveException partWithoutIndex(long shards, String folder, String place) {
    return ReweaveException.usage(
        "this is one of " + shards + " shards of a model",
        place,
        "name the folder, "
            + folder
            + "; if it holds other weights too, move these shards to a folder of their own");
  }

  /** A file was named that is a part of a model. */
  static ReweaveException slicesOfOneRank(String folder, String place) {
    return ReweaveException.usage(
        "this file holds the slices that one rank saved, not whole tensors",
        place,
        "name the folder with the files of all ranks: " + folder);
  }

  /** The folder has a {@code model_index.json}. */
  static ReweaveException pipeline(List<String> components, String place) {
    return ReweaveException.usage(
        "this is a pipeline of several models",
        place,
        "name the folder of the one that is meant: " + String.join(", ", components));
  }

  /** A model folder that was not copied whole. */
  static ReweaveException indexAlone(String place) {
    return new ReweaveException(
        "an index, but none of its shards", place, "copy the shards from where the index is from");
  }

  /**
   * What a trainer leaves behind that saves a model under ZeRO-3 without gathering it.
   *
   * @param tensors how many there are, all without elements
   * @param beside the folder of a checkpoint in the same folder
   */
  static ReweaveException empty(long tensors, Optional<String> beside, String place) {
    return new ReweaveException(
        tensors == 0
            ? "there are no tensors in it"
            : "there are no weights in it: its "
                + Counted.grouped(tensors, "tensor")
                + (tensors == 1 ? " has" : " have")
                + " no elements, as trainers leave behind that save a model under ZeRO-3 without"
                + " gathering it",
        place,
        beside.isPresent()
            ? "convert the checkpoint beside it: name the folder " + beside.get()
            : "convert the ZeRO-3 checkpoint of the same step: name the folder that save_checkpoint"
                + " wrote, with 'latest' and *_optim_states.pt files below it");
  }

  /** One rank's file under another name than torch gave it. */
  static ReweaveException sliceUnderOtherName(String tensor, List<Long> offsets, String place) {
    return ReweaveException.unsupported(
        "the file holds slices of tensors, as one rank of a distributed checkpoint"
            + " saved them: that of "
            + tensor
            + " begins at "
            + offsets,
        place,
        "put the files of all ranks into one folder under the names that torch gave"
            + " them, such as shard-00001-model-00001-of-00001.safetensors, and name"
            + " the folder");
  }

  /** Files of two steps are mixed, or a file is damaged. */
  static ReweaveException sliceWithoutOffset(String tensor, String place) {
    return new ReweaveException(
        "the header does not say where the slice of "
            + tensor
            + " begins: it has no "
            + SavedOffsets.KEY
            + " for it",
        place,
        "copy the file again from the training run; if its tensors are whole, give it another name"
            + " than that of a rank's slices");
  }

  /** Files of two steps are mixed, or a file is damaged. */
  static ReweaveException slicesOfTwoTensors(
      TensorSpec first, List<Long> at, TensorSpec other, List<Long> otherAt, String place) {
    return new ReweaveException(
        "slices that are of no one tensor: "
            + first
            + " at "
            + at
            + " and "
            + other
            + " at "
            + otherAt,
        place,
        AGAIN);
  }

  /** Files of two steps are mixed, or a file is damaged. */
  static ReweaveException slicesDoNotFit(String tensor, String place, RuntimeException cause) {
    return new ReweaveException(
        "the slices of tensor " + tensor + " do not make it up: " + cause.getMessage(),
        place,
        AGAIN,
        cause);
  }

  /** Files of two runs in one folder. */
  static ReweaveException slicesOfTwoCheckpoints(Collection<Integer> parts, String place) {
    return ReweaveException.usage(
        "the slices of several checkpoints are here: their names count "
            + parts
            + " files of each rank",
        place,
        "move those of all but one to folders of their own");
  }

  /** Files of some ranks were not copied: each wrote its own, maybe on another machine. */
  static ReweaveException missingSlices(List<String> missing, String place) {
    return new ReweaveException(
        "files of slices are missing, as the names of the others tell: " + names(missing),
        place,
        "copy them from the training run, each rank's from its machine; if a rank never had any,"
            + " number the ranks in the names of the others without a gap");
  }

  /** Files of some ranks were not copied: each wrote its own, maybe on another machine. */
  static ReweaveException firstRankAlone(String place) {
    return new ReweaveException(
        "the slices of rank 1 alone are here, and nothing tells of how many ranks",
        place,
        "copy the files of the other ranks to the same folder; if there was one rank, so that its"
            + " tensors are whole, take '"
            + SliceName.PREFIX
            + "' off the names of its files");
  }

  /** Two shards have a tensor of one name. */
  static ReweaveException twice(String tensor, String first, String second, String place) {
    return new ReweaveException(
        "tensor " + tensor + " is in " + first + " and " + second,
        place,
        "take it out of the file that is not meant: load_file, del and save_file of"
            + " safetensors.torch do, or torch.load and torch.save of .bin");
  }

  /** A model folder that was not copied whole: without its index. */
  static ReweaveException noIndex(int shards, String place) {
    return new ReweaveException(
        Counted.of(shards, "shard")
            + ", but no index: all that their names count are there, and are read",
        place,
        "convert them, which writes an index; no library finds them without it");
  }

  /** A model folder that was not copied whole: without its index and some of its shards. */
  static ReweaveException missingShards(int shards, List<String> missing, String place) {
    return new ReweaveException(
        "of "
            + Counted.of(shards, "shard")
            + " without an index "
            + missing.size()
            + (missing.size() == 1 ? " is" : " are")
            + " missing: "
            + names(missing),
        place,
        "copy them from where the others are from, with the index if there is one");
  }

  /**
   * A model folder that was not copied whole.
   *
   * @param tensors that the shard should have
   */
  static ReweaveException missingShard(
      String index, String shard, List<String> tensors, String place) {
    return new ReweaveException(
        index
            + " names "
            + shard
            + ", which is not there, for "
            + tensors.size()
            + (tensors.size() == 1 ? " tensor: " : " tensors: ")
            + String.join(", ", tensors.subList(0, Math.min(MOST_NAMES, tensors.size())))
            + (tensors.size() > MOST_NAMES ? ", …" : ""),
        place,
        "copy the shard from where the others are from, or convert again");
  }

  /**
   * An index that is older than its shards.
   *
   * @param surplus tensors that it does not name, in order
   * @param places the shards that they are in, by name of tensor
   */
  static ReweaveException notInIndex(
      String index, List<String> surplus, Map<String, String> places, String place) {
    return new ReweaveException(
        index
            + " does not name "
            + FirstNames.of(surplus)
            + ", which "
            + (surplus.size() == 1 ? "is in " + places.get(surplus.get(0)) : "are in its shards")
            + " and so read",
        place,
        "convert the model, which writes an index that names all");
  }

  /** Index and shards are of two models or versions of one. */
  static ReweaveException otherSize(String index, long said, long bytes, String place) {
    return new ReweaveException(
        index + " says total_size " + said + ": tensors have " + bytes + " bytes",
        place,
        NOT_TOGETHER);
  }

  /**
   * Index and shards are of two models or versions of one.
   *
   * @param found the shard that the tensor is in, if any
   */
  static ReweaveException elsewhere(
      String index, String tensor, String said, Optional<String> found, String place) {
    return new ReweaveException(
        index
            + " says that "
            + tensor
            + " is in "
            + said
            + ": it is "
            + (found.isPresent() ? "in " + found.get() : "in no shard"),
        place,
        NOT_TOGETHER);
  }

  /** Of missing files all are told, unless a list of them helps nobody. */
  private static String names(List<String> missing) {
    return String.join(", ", missing.subList(0, Math.min(MOST_MISSING, missing.size())))
        + (missing.size() > MOST_MISSING ? ", …" : "");
  }
}
