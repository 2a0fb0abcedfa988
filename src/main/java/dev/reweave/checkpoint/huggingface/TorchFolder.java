package dev.reweave.checkpoint.huggingface;

import dev.reweave.checkpoint.Checkpoint;
import dev.reweave.checkpoint.LeftTensors;
import dev.reweave.checkpoint.NotTaken;
import dev.reweave.checkpoint.ReadOptions;
import dev.reweave.checkpoint.Remarks;
import dev.reweave.checkpoint.statedict.StateDictFile;
import dev.reweave.common.ReweaveException;
import dev.reweave.storage.InputFile;
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
    List<NotTaken> left = new ArrayList<>();
    int skipped = 0;
    for (ShardContent content : check.contents()) {
      tensors.addAll(content.tensors());
      content.aliases().forEach(aliases::putIfAbsent);
      skipped += content.skipped();
      content.left().forEach(beside -> left.add(notTaken(beside, content.file())));
    }
    notes.addAll(StateDictFile.notes(new StateDictFile.Content(tensors, aliases, skipped)));
    return new Checkpoint(StateDictFile.SOURCE, weights.shards(), tensors, aliases, notes)
        .with(new Remarks(notes, List.of(), List.of(), left));
  }

  /** A dict in one shard is no model that a key could name. */
  private static NotTaken notTaken(LeftTensors left, InputFile shard) {
    return StateDictFile.notTaken(
        left.kind() == LeftTensors.Kind.WEIGHTS
            ? new LeftTensors(LeftTensors.Kind.SINGLE, left.where(), left.tensors(), left.keys())
            : left,
        shard);
  }
}
