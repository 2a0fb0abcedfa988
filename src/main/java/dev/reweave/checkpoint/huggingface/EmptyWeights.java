package dev.reweave.checkpoint.huggingface;

import dev.reweave.checkpoint.Checkpoint;
import dev.reweave.checkpoint.Remarks;
import dev.reweave.common.Counted;
import dev.reweave.common.Location;
import dev.reweave.common.ReweaveException;
import dev.reweave.storage.InputFile;
import dev.reweave.storage.Stores;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * Files of weights in which there are none. Under ZeRO-3 a parameter of the module has no elements
 * but while it is used, and a trainer that saves the module without gathering it, as transformers'
 * does under {@code stage3_gather_16bit_weights_on_model_save: false}, leaves names alone.
 */
final class EmptyWeights {
  private static final String LATEST = "latest";
  private static final Pattern TAG = Pattern.compile("global_step\\d+");

  private EmptyWeights() {}

  /**
   * Refuses weights without a single element, and notes where some tensors have none.
   *
   * @param file by which the weights are found
   */
  static Checkpoint told(Stores stores, InputFile file, Checkpoint checkpoint) {
    long tensors = checkpoint.tensors().size();
    long empty = checkpoint.tensors().stream().filter(t -> t.spec().elements() == 0).count();
    if (empty == tensors) {
      throw HuggingFaceFailures.empty(
          tensors, beside(stores, file.folder()).map(Location::uri), file.uri());
    }
    if (empty == 0) {
      return checkpoint;
    }
    Remarks remarks = checkpoint.remarks();
    List<String> notes = new ArrayList<>(remarks.notes());
    notes.add(
        empty
            + " of "
            + Counted.grouped(tensors, "tensor")
            + (empty == 1 ? " has" : " have")
            + " no elements, and no more in the result: what ZeRO-3 had not gathered is in its own"
            + " checkpoint alone");
    return checkpoint.with(remarks.with(notes));
  }

  /** The folder of a checkpoint in the same folder. */
  private static Optional<Location> beside(Stores stores, Location folder) {
    try {
      Stores.Listing listing = stores.list(folder);
      if (listing.files().stream().anyMatch(f -> f.name().equals(LATEST))) {
        return Optional.of(folder);
      }
      return listing.folders().stream()
          .filter(f -> TAG.matcher(f.name()).matches())
          .reduce((one, other) -> other);
    } catch (ReweaveException e) {
      e.throwIfOfStore();
      return Optional.empty();
    }
  }
}
