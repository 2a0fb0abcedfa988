package dev.reweave.checkpoint.deepspeed;

import dev.reweave.checkpoint.TensorEntries;
import dev.reweave.checkpoint.TorchProbe;
import dev.reweave.format.pytorch.TorchFile;
import dev.reweave.format.pytorch.TorchTensor;
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
    TensorEntries entries = TensorEntries.ofModule(file.root()).requireRead();
    for (Map.Entry<String, TorchTensor> e : entries.tensors().entrySet()) {
      tensors.add(file.locate(e.getKey(), e.getValue()));
    }
    return new PlainStates(tensors);
  }

  /** Reads them: in these files nothing is told but tensors. */
  static TorchProbe<Surveyed<RankFacts>> probe() {
    TorchProbe<RankFacts> states = PlainStates::read;
    return FileSurvey.STATE_DICT.with(states);
  }
}
