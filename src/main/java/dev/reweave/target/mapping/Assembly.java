package dev.reweave.target.mapping;

import dev.reweave.common.ReweaveException;
import dev.reweave.tensor.NamedTensor;
import java.util.List;

/** One tensor that is put together from several, while they are found. */
sealed interface Assembly permits Joining, Stacking {

  /** The name that the whole gets. */
  String target();

  /**
   * Takes one tensor.
   *
   * @throws ReweaveException if it has no place in the whole, or another has its place
   */
  void add(NameMatch match, NamedTensor tensor);

  /** What did not come, as messages call it. */
  List<String> missing();

  /**
   * The whole; only where nothing is {@link #missing()}.
   *
   * @throws ReweaveException if the parts do not go together
   */
  NamedTensor tensor();

  /** A tensor in a message, with what others can differ in. */
  static String shown(NamedTensor tensor) {
    return tensor.name() + " " + tensor.spec().dtype() + " " + tensor.spec().shape();
  }
}
