package dev.reweave.checkpoint.deepspeed;

import dev.reweave.common.ReweaveException;
import dev.reweave.format.pytorch.TorchFile;
import dev.reweave.tensor.FlatBuffer;
import dev.reweave.tensor.NamedTensor;
import dev.reweave.tensor.StoredLayout;
import java.io.IOException;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;

/**
 * What one rank's model states file of a ZeRO-3 checkpoint adds to the first rank's: its pieces of
 * the frozen parameters. Names are left out, since every rank has the same.
 *
 * @param fingerprint of all that must be the same in every rank's file
 * @param pieces in the order of the frozen parameters
 */
record FrozenPieces(Fingerprint fingerprint, List<FlatBuffer.StorageRun> pieces)
    implements RankFacts {

  /**
   * Tells files of different runs or steps apart.
   *
   * @param step training step, -1 if unknown
   * @param shapes hash of the trained and frozen names and shapes
   */
  record Fingerprint(long step, int shapes) implements Serializable {}

  static FrozenPieces read(TorchFile file) throws IOException {
    ModelStates states = ModelStates.read(file, ModelStates.Wanted.SHAPES);
    List<FlatBuffer.StorageRun> pieces = new ArrayList<>();
    for (NamedTensor fragment : states.frozen().fragments()) {
      pieces.add(piece(fragment, file.root().place()));
    }
    return new FrozenPieces(states.fingerprint(), pieces);
  }

  /**
   * What one rank keeps of a frozen parameter.
   *
   * @param place its file, for messages
   * @throws ReweaveException if it is a view with gaps, as DeepSpeed never saves it
   */
  static FlatBuffer.StorageRun piece(NamedTensor fragment, String place) {
    StoredLayout layout = (StoredLayout) fragment.layout();
    if (!layout.isContiguous()) {
      throw PartitionFailures.frozenWithGaps(fragment.name(), place);
    }
    return layout.piece();
  }
}
