package dev.reweave.checkpoint.deepspeed;

import dev.reweave.format.pytorch.TorchFile;
import dev.reweave.format.pytorch.TorchValue;
import java.io.IOException;
import java.io.Serializable;

/**
 * Takes from a file what its pickle alone tells, which is the same for all files with that pickle,
 * and then what is its own: where its tensors lie.
 *
 * @param <P> what the pickle tells; does not know which file that was
 * @param <T> what is wanted of the file
 */
interface PickleProbe<P, T extends Serializable> extends Serializable {
  /** The type of what the pickle tells. */
  Class<P> told();

  /** What the pickle tells. */
  P told(TorchValue root) throws IOException;

  /**
   * What is wanted of the file.
   *
   * @param told by its pickle, or one that is the same
   * @param file whose value is not to be asked for
   */
  T locate(P told, TorchFile file) throws IOException;
}
