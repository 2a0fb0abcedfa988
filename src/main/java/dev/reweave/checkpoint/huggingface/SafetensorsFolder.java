package dev.reweave.checkpoint.huggingface;

import dev.reweave.checkpoint.Checkpoint;
import dev.reweave.checkpoint.ReadOptions;
import dev.reweave.checkpoint.Remarks;
import dev.reweave.checkpoint.Weights;
import dev.reweave.checkpoint.statedict.StateDictFile;
import dev.reweave.common.ReweaveException;
import dev.reweave.format.safetensors.SafetensorsHeader;
import dev.reweave.storage.Stores;
import dev.reweave.tensor.NamedTensor;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * A model in safetensors files. Its tensors come in the order that they have in one file, however
 * many files there are, so that the result does not depend on how they were sharded.
 */
final class SafetensorsFolder {
  static final String FRAMEWORK = "safetensors";

  private SafetensorsFolder() {}

  /**
   * Reads the structure of a model.
   *
   * @throws ReweaveException if the files are not whole, or not of one model
   */
  static Checkpoint read(Stores stores, WeightFiles weights, ReadOptions options) {
    WeightsCheck check = WeightsCheck.of(stores, weights);
    List<String> notes = new ArrayList<>(check.requireWhole());
    String place = weights.shards().get(0).uri();
    StateDictFile.requireNoChoice(options, place);
    Map<String, NamedTensor> tensors = new HashMap<>();
    check.slices().ifPresent(slices -> notes.addAll(slices.notes()));
    check
        .slices()
        .map(slices -> slices.tensors().stream())
        .orElseGet(() -> check.contents().stream().flatMap(file -> file.tensors().stream()))
        .forEach(tensor -> tensors.put(tensor.name(), tensor));
    ModelMetadata said = ModelMetadata.of(check.contents(), check.index(), tensors.keySet());
    notes.addAll(said.notes());
    List<NamedTensor> ordered = new ArrayList<>();
    SafetensorsHeader.layOut(tensors.values().stream().map(NamedTensor::spec).toList(), Map.of())
        .entries()
        .forEach(e -> ordered.add(tensors.get(e.spec().name())));
    return new Checkpoint(
        new Checkpoint.Source(FRAMEWORK, "", -1, 1, "", "", List.of(), Weights.MODEL),
        weights.shards(),
        ordered,
        said.aliases(),
        said.metadata(),
        Remarks.of(notes));
  }
}
