package dev.reweave.checkpoint.deepspeed;

import dev.reweave.format.pytorch.TorchFile;
import dev.reweave.format.pytorch.TorchValue;
import java.io.IOException;
import java.io.Serializable;

/**
 * What a universal checkpoint needs of its first model states file.
 *
 * @param vocabularySize rows of the vocabulary without padding; 0 if the trainer did not say
 */
record UniversalStates(ModelStates model, long vocabularySize) implements Serializable {
  private static final String INFO = "universal_checkpoint_info";
  private static final String VOCABULARY_SIZE = "original_vocab_size";

  static UniversalStates read(TorchFile file, ModelStates.Wanted wanted) throws IOException {
    long size =
        file.root()
            .find(INFO)
            .filter(TorchValue::isDict)
            .flatMap(info -> info.find(VOCABULARY_SIZE))
            .filter(TorchValue::isInteger)
            .map(TorchValue::integer)
            .orElse(0L);
    return new UniversalStates(ModelStates.read(file, wanted), size);
  }
}
