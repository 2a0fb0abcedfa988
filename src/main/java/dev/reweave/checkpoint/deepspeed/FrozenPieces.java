package dev.reweave.checkpoint.deepspeed;

import dev.reweave.common.ReweaveException;
import dev.reweave.format.pytorch.TorchFile;
import dev.reweave.format.pytorch.TorchTensor;
import dev.reweave.format.pytorch.TorchValue;
import dev.reweave.tensor.FlatBuffer;
import dev.reweave.tensor.NamedTensor;
import dev.reweave.tensor.Shape;
import dev.reweave.tensor.StoredLayout;
import java.io.IOException;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;

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
  record Fingerprint(long step, int shapes) implements Serializable {
    /**
     * Of what files of one step have in common.
     *
     * @param groups shapes of the trained parameters, in flat group order
     * @param frozen shapes of those that were not trained
     * @param pieces names of these, in the order of their pieces
     */
    static Fingerprint of(
        long step,
        List<Map<String, Shape>> groups,
        Map<String, Shape> frozen,
        List<String> pieces) {
      // Of lists, as the order tells what lies where; pieces of other ranks go by it alone.
      List<?> ordered = groups.stream().map(g -> List.copyOf(g.entrySet())).toList();
      return new Fingerprint(step, Objects.hash(ordered, List.copyOf(frozen.entrySet()), pieces));
    }
  }

  /**
   * What the pickle alone tells.
   *
   * @param fragments names and tensors of the pieces
   */
  record Told(Fingerprint fingerprint, List<Map.Entry<String, TorchTensor>> fragments) {}

  /** Reads them, of files most of which have one pickle. */
  record Probe() implements PickleProbe<Told, FrozenPieces> {
    @Override
    public Class<Told> told() {
      return Told.class;
    }

    @Override
    public Told told(TorchValue root) {
      ModelPickle pickle = ModelPickle.of(root);
      return new Told(pickle.fingerprint(), pickle.fragments());
    }

    @Override
    public FrozenPieces locate(Told told, TorchFile file) throws IOException {
      List<FlatBuffer.StorageRun> pieces = new ArrayList<>();
      for (Map.Entry<String, TorchTensor> fragment : told.fragments()) {
        NamedTensor located = file.locate(fragment.getKey(), fragment.getValue());
        pieces.add(piece(located, file.place()));
      }
      return new FrozenPieces(told.fingerprint(), pieces);
    }
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
