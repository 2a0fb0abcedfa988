package dev.reweave.checkpoint.huggingface;

import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What the name of a file says that PyTorch's distributed checkpoint writes for each rank: {@code
 * shard-00001-model-00001-of-00002.safetensors}. It is {@code SHARDED_FILE_NAME} in {@code
 * torch/distributed/checkpoint/_hf_utils.py} of torch 2.15.
 *
 * @param rank that wrote it, from 1
 * @param part which of the files that the tensors are distributed over, from 1
 * @param parts how many of these there are, of all ranks together
 */
record SliceName(int rank, int part, int parts) {
  /** What takes a file out of the set, where its tensors are whole. */
  static final String PREFIX = "shard-00001-";

  /** Where the files are put if they are to be consolidated: {@code SHARDED_DIR_NAME} of torch. */
  static final String FOLDER = "sharded";

  private static final Pattern SLICES =
      Pattern.compile(
          "shard-(?<rank>\\d{5})-model-(?<part>\\d{5})-of-(?<parts>\\d{5})\\.safetensors");

  /** Empty if it is no such name. */
  static Optional<SliceName> of(String name) {
    Matcher matcher = SLICES.matcher(name);
    return matcher.matches()
        ? Optional.of(
            new SliceName(
                Integer.parseInt(matcher.group("rank")),
                Integer.parseInt(matcher.group("part")),
                Integer.parseInt(matcher.group("parts"))))
        : Optional.empty();
  }

  /** The name of the file. */
  String text() {
    return String.format(
        Locale.ROOT, "shard-%05d-model-%05d-of-%05d.safetensors", rank, part, parts);
  }
}
