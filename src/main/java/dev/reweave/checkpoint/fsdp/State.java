package dev.reweave.checkpoint.fsdp;

import dev.reweave.format.pytorch.TorchValue;
import java.util.List;
import java.util.Optional;

/**
 * The state of a tensor of a class of its own, which {@code torch._tensor._rebuild_from_type_v2}
 * would give to it: function, class, arguments, state.
 */
final class State {
  private static final int STATE = 3;

  private State() {}

  static TorchValue of(TorchValue tensor) {
    List<TorchValue> arguments = tensor.arguments(STATE + 1);
    if (arguments.size() <= STATE) {
      throw FsdpFailures.notTorch(tensor.kind(), "state", tensor.place());
    }
    return arguments.get(STATE);
  }

  /** An attribute of an object; or of a state, which is a dict, or a tuple with that of slots. */
  static TorchValue attribute(TorchValue object, String name) {
    Optional<TorchValue> found = object.attribute(name).or(() -> object.find(name));
    if (found.isEmpty() && object.isSequence() && object.size() <= 2) {
      found = object.items().stream().flatMap(part -> part.find(name).stream()).findFirst();
    }
    return found.orElseThrow(() -> FsdpFailures.notTorch(object.kind(), name, object.place()));
  }
}
