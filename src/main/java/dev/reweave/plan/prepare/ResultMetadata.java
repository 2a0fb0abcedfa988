package dev.reweave.plan.prepare;

import dev.reweave.checkpoint.Checkpoint;
import dev.reweave.common.FirstNames;
import dev.reweave.plan.Format;
import dev.reweave.plan.PlanOptions;
import dev.reweave.plan.ResultModel;
import dev.reweave.plan.Sharding;
import dev.reweave.tensor.DType;
import dev.reweave.tensor.NamedTensor;
import dev.reweave.tensor.StoredLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Pattern;

/**
 * What the headers of a result say beside its tensors: what those of the input say, but for what is
 * not true of the result.
 *
 * @param entries by key
 * @param notes what is left out, and why
 */
public record ResultMetadata(Map<String, String> entries, List<String> notes) {
  private static final String FORMAT = "format";

  /**
   * Checksums and sizes of the tensors' bytes: those of kohya's scripts ({@code
   * library/train_util.py}, {@code precalculate_safetensors_hashes}), that of the model metadata
   * standard, and what others call theirs. Checksums of the models that an adapter was trained on
   * begin with {@code ss_}.
   */
  private static final Pattern OF_BYTES =
      Pattern.compile(
          "sshs_.*|modelspec\\.hash_sha256|total_size"
              + "|((model|tensors?|weights|content|file)[._-]?)?(hash|sha-?256(sum)?|md5(sum)?"
              + "|crc-?32c?|checksum)");

  private static final Pattern OF_TYPES = Pattern.compile("(torch_)?dtype");

  /**
   * The metadata of a result.
   *
   * @param renaming its tensors, with their names
   * @param like what they are in the base
   */
  public static ResultMetadata of(
      Checkpoint checkpoint, Renaming renaming, PlanOptions planning, ResultModel.Likeness like) {
    Map<String, String> entries = new TreeMap<>(checkpoint.metadata());
    List<String> notes = new ArrayList<>();
    if (planning.format() != Format.SAFETENSORS) {
      entries.remove(FORMAT);
      List<String> lost = List.copyOf(entries.keySet());
      if (!lost.isEmpty()) {
        notes.add(
            "metadata are left out, as torch files have no place for them (--format safetensors"
                + " has): "
                + FirstNames.of(lost));
      }
      return new ResultMetadata(Map.of(), notes);
    }
    boolean sameTypes = renaming.tensors().stream().allMatch(t -> keepsType(t, planning, like));
    if (!sameTypes || !areSameBytes(checkpoint, renaming, planning)) {
      leaveOut(
          entries,
          OF_BYTES,
          "metadata are left out that were made of the input's bytes, which the result has not: ",
          notes);
    }
    if (!sameTypes) {
      leaveOut(entries, OF_TYPES, "metadata are left out that tell the input's types: ", notes);
    }
    if (renaming.mapping().isPresent()
        && entries.keySet().stream().anyMatch(k -> !k.equals(FORMAT))) {
      notes.add("names in the metadata are those of the input: the mapping does not change them");
    }
    return new ResultMetadata(entries, notes);
  }

  private static void leaveOut(
      Map<String, String> entries, Pattern keys, String why, List<String> notes) {
    List<String> left = entries.keySet().stream().filter(k -> keys.matcher(k).matches()).toList();
    if (!left.isEmpty()) {
      notes.add(why + FirstNames.of(left));
      entries.keySet().removeAll(left);
    }
  }

  private static boolean keepsType(
      NamedTensor tensor, PlanOptions planning, ResultModel.Likeness like) {
    DType stored = tensor.layout().dtype();
    Optional<DType> inBase =
        Optional.ofNullable(like.tensors().get(tensor.name())).map(ResultModel.Place::dtype);
    return tensor.layout().summedOn().isEmpty() && planning.dtype().of(stored, inBase) == stored;
  }

  /** Whether the one file of the result has the tensors of the one file of the input. */
  private static boolean areSameBytes(
      Checkpoint checkpoint, Renaming renaming, PlanOptions planning) {
    long bytes = renaming.tensors().stream().mapToLong(t -> t.spec().bytes()).sum();
    return checkpoint.files().size() == 1
        && planning.sharding() == Sharding.BY_SIZE
        && bytes <= planning.maxShardBytes()
        && renaming.tensors().size() == checkpoint.tensors().size()
        && renaming.tensors().stream().allMatch(ResultMetadata::isAsInFile);
  }

  private static boolean isAsInFile(NamedTensor tensor) {
    return tensor.layout() instanceof StoredLayout stored
        && stored.isContiguous()
        && stored.storage().name().equals(tensor.name())
        && stored.storage().dtype() == tensor.spec().dtype();
  }
}
