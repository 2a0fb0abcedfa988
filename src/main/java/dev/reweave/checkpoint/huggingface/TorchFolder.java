package dev.reweave.checkpoint.huggingface;

import dev.reweave.checkpoint.Checkpoint;
import dev.reweave.checkpoint.ReadOptions;
import dev.reweave.checkpoint.statedict.StateDictFile;
import dev.reweave.common.ReweaveException;
import dev.reweave.storage.Stores;
import dev.reweave.tensor.NamedTensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A model in {@code pytorch_model.bin} files, with an index if there are several. */
final class TorchFolder {
  private TorchFolder() {}

  /**
   * Reads the structure of a model. Tensors come in the order of the shards and of their dicts.
   *
   * @throws ReweaveException if the files are not whole, or not of one model
   */
  static Checkpoint read(Stores stores, WeightFiles weights, ReadOptions options) {
    WeightsCheck check = WeightsCheck.of(stores, weights);
    List<String> notes = new ArrayList<>(check.requireWhole());
    StateDictFile.requireNoChoice(options, weights.shards().get(0).uri());
    List<NamedTensor> tensors = new ArrayList<>();
    Map<String, String> aliases = new LinkedHashMap<>();
    int skipped = 0;
    for (ShardContent content : check.contents()) {
      tensors.addAll(content.tensors());
      content.aliases().forEach(aliases::putIfAbsent);
      skipped += content.skipped();
    }
    notes.addAll(StateDictFile.notes(new StateDictFile.Content(tensors, aliases, skipped)));
    return new Checkpoint(StateDictFile.SOURCE, weights.shards(), tensors, aliases, notes);
  }
}
