package dev.reweave.checkpoint.deepspeed;

import dev.reweave.checkpoint.StateDictFile;
import dev.reweave.pytorch.TorchFile;
import dev.reweave.pytorch.TorchValue;
import dev.reweave.tensor.NamedTensor;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * What a file holds that is a plain state dict: a layer of a pipeline, under names that do not tell
 * which layer it is, or an expert, under its names in the whole model.
 *
 * @param tensors in order; none for a layer without weights
 */
record PlainStates(List<NamedTensor> tensors) implements RankFacts {
  static PlainStates read(TorchFile file) throws IOException {
    List<NamedTensor> tensors = new ArrayList<>();
    for (Map.Entry<String, TorchValue> e : file.root().entries()) {
      // Modules may add extra state of any kind to their state dict.
      if (e.getValue().isTensor()) {
        tensors.add(StateDictFile.locate(file, e.getKey(), e.getValue().tensor()));
      }
    }
    return new PlainStates(tensors);
  }
}
