package dev.reweave.checkpoint.huggingface;

import dev.reweave.checkpoint.Checkpoint;
import dev.reweave.checkpoint.FileContents;
import dev.reweave.checkpoint.ReadOptions;
import dev.reweave.common.Location;
import dev.reweave.common.ReweaveException;
import dev.reweave.storage.InputFile;
import java.util.List;

/**
 * A file of which the name tells that it is a part of a model, and that was named by itself: taken
 * for a model, it would be one that lacks tensors.
 *
 * @param weights what it is a part of
 */
record PartOfModel(InputFile file, WeightFiles weights) implements FileContents {
  /** Whether there is more of the model than this file, be it there or not. */
  static boolean is(InputFile file, WeightFiles weights) {
    return weights.isSliced() || shards(file, weights) > 1;
  }

  /** How many files there are of it, as its name or its index says. */
  private static int shards(InputFile file, WeightFiles weights) {
    int named = ShardName.of(file.name()).map(ShardName::count).orElse(1);
    return Math.max(named, weights.shards().size());
  }

  @Override
  public Checkpoint read(ReadOptions options) {
    Location folder = file.folder();
    if (weights.isSliced()) {
      throw ReweaveException.usage(
          "this file holds the slices that one rank saved, not whole tensors",
          file.uri(),
          "name the folder with the files of all ranks: " + folder);
    }
    if (!weights.indexes().isEmpty()) {
      throw part("", "name its index: " + weights.entry().uri());
    }
    List<String> missing = weights.missing();
    if (!missing.isEmpty()) {
      throw part(
          ", and " + missing.size() + " of them are not beside it",
          "copy them to the same folder, and name the folder: " + WeightsCheck.names(missing));
    }
    throw part(
        "",
        "name the folder, "
            + folder
            + "; if it holds other weights too, move these shards to a folder of their own");
  }

  private ReweaveException part(String others, String remedy) {
    return ReweaveException.usage(
        "this is one of " + shards(file, weights) + " shards of a model" + others,
        file.uri(),
        remedy);
  }
}
