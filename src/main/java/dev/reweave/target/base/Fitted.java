package dev.reweave.target.base;

import dev.reweave.tensor.NamedTensor;
import java.util.List;
import java.util.Map;

/**
 * A result's tensors as a base has them.
 *
 * @param tensors under the names of the result
 * @param aliases tied names: each that is not among the tensors to the one that is
 * @param notes what the user should know
 */
public record Fitted(List<NamedTensor> tensors, Map<String, String> aliases, List<String> notes) {
  public Fitted {
    tensors = List.copyOf(tensors);
    notes = List.copyOf(notes);
  }
}
