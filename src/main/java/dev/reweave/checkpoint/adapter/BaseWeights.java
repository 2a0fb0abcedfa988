package dev.reweave.checkpoint.adapter;

import dev.reweave.checkpoint.Checkpoint;
import java.util.Collection;
import java.util.Optional;

/** Where the model is that an adapter was trained on, if its checkpoint has the adapter alone. */
@FunctionalInterface
public interface BaseWeights {
  /** None was named. */
  BaseWeights NONE = names -> Optional.empty();

  /**
   * Reads the structure of the model.
   *
   * @param names of tensors that it should have, for the choice among several models
   * @return empty if none was named
   * @throws dev.reweave.common.ReweaveException if it cannot be read
   */
  Optional<Checkpoint> of(Collection<String> names);
}
