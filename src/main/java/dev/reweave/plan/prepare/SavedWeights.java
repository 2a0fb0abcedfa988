package dev.reweave.plan.prepare;

import dev.reweave.checkpoint.Checkpoint;
import dev.reweave.checkpoint.Place;
import dev.reweave.checkpoint.ReadOptions;
import dev.reweave.checkpoint.huggingface.WeightFiles;
import dev.reweave.checkpoint.reading.CheckpointReader;
import dev.reweave.common.Location;
import dev.reweave.common.ReweaveException;
import dev.reweave.plan.FileNames;
import dev.reweave.storage.InputFile;
import dev.reweave.storage.Stores;
import dev.reweave.tensor.DType;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Whole weights that were saved beside the partitions of a ZeRO-3 checkpoint: by {@code
 * DeepSpeedEngine.save_16bit_model}, which takes any folder, or by a trainer that saves the model
 * in the folder of the checkpoint.
 *
 * @param model empty if there are none that belong to the step
 * @param place where they are; empty if there are none
 * @param missing why there are none; empty if there are
 */
public record SavedWeights(Optional<Checkpoint> model, String place, String missing) {
  private static final int MOST_TAG_BYTES = 4096;
  private static final String ALONE = "a ZeRO-3 checkpoint keeps the fp32 masters alone, and ";

  /**
   * Looks in the folder of the step, then in that of the checkpoint, then in the folders in it. The
   * latter two are of the step that was saved last.
   *
   * @param place of the checkpoint, or of the step itself
   */
  public static SavedWeights beside(Place place, Checkpoint.Source source) {
    Stores stores = place.stores();
    Location address = place.address();
    Location inside = address.child(source.tag());
    boolean isRoot = stores.isFolder(inside);
    Location step = isRoot ? inside : address;
    Location root = isRoot ? address : address.parent();
    Map<String, InputFile> found = in(stores, stores.list(step));
    if (found.isEmpty()) {
      Stores.Listing beside = stores.list(root);
      found = in(stores, beside);
      if (found.isEmpty()) {
        found = inFolders(stores, beside, step);
      }
      if (!found.isEmpty() && !isLast(stores, beside, step)) {
        return none(
            "the weights in "
                + String.join(", ", found.keySet())
                + " are not those of this step, but of the last one");
      }
    }
    if (found.isEmpty()) {
      return none("no weights of 16 bits are saved beside it");
    }
    if (found.size() > 1) {
      return none(
          "which of the weights beside it are its own is not clear: "
              + String.join(", ", found.keySet()));
    }
    InputFile file = found.values().iterator().next();
    Checkpoint model;
    try {
      model =
          new CheckpointReader(stores, place.scanner())
              .read(file.location(), ReadOptions.defaults());
    } catch (ReweaveException e) {
      e.throwIfOfStore();
      return none("what is saved beside it cannot be read: " + file.uri() + ": " + e.problem());
    }
    return isRounded(model, source)
        ? new SavedWeights(Optional.of(model), file.uri(), "")
        : none("the weights in " + file.uri() + " have not the 16 bits of the training");
  }

  private static SavedWeights none(String why) {
    return new SavedWeights(Optional.empty(), "", ALONE + why);
  }

  /** What is wider than what was trained was made of the masters, and proves nothing. */
  private static boolean isRounded(Checkpoint model, Checkpoint.Source source) {
    return source.precision().equals("fp32")
        || model.tensors().stream()
            .map(t -> t.spec().dtype())
            .anyMatch(type -> type == DType.F16 || type == DType.BF16);
  }

  private static Map<String, InputFile> inFolders(
      Stores stores, Stores.Listing root, Location step) {
    Map<String, InputFile> found = new LinkedHashMap<>();
    for (Location folder : root.folders()) {
      Stores.Listing content = stores.list(folder);
      boolean isStep = content.files().stream().anyMatch(f -> f.name().endsWith("_states.pt"));
      if (!isStep && !folder.equals(step)) {
        found.putAll(in(stores, content));
      }
    }
    return found;
  }

  /** Files or indexes to read, by address; not what was converted. */
  private static Map<String, InputFile> in(Stores stores, Stores.Listing folder) {
    Map<String, InputFile> found = new LinkedHashMap<>();
    if (folder.files().stream().anyMatch(f -> f.name().equals(FileNames.MANIFEST))) {
      return found;
    }
    List<WeightFiles> plain =
        WeightFiles.among(stores, folder.files()).stream()
            .filter(w -> !w.hasVariant() && !w.shards().isEmpty() && w.isNamedByOneFile())
            .toList();
    List<WeightFiles> safe = plain.stream().filter(w -> !w.isTorch()).toList();
    for (WeightFiles weights : safe.isEmpty() ? plain : safe) {
      List<InputFile> entries = new ArrayList<>(weights.indexes());
      entries.addAll(weights.shards());
      found.put(entries.get(0).uri(), entries.get(0));
    }
    return found;
  }

  private static boolean isLast(Stores stores, Stores.Listing root, Location step) {
    String tag = step.name();
    Optional<InputFile> latest =
        root.files().stream().filter(f -> f.name().equals("latest")).findFirst();
    if (latest.isPresent()) {
      byte[] named = stores.readAll(latest.get(), MOST_TAG_BYTES);
      String last = new String(named, StandardCharsets.UTF_8).strip();
      return tag.equals(last) || tag.equals(last + "_universal");
    }
    List<Location> steps =
        root.folders().stream()
            .filter(
                f -> stores.list(f).files().stream().anyMatch(x -> x.name().endsWith("_states.pt")))
            .toList();
    return steps.size() == 1;
  }
}
