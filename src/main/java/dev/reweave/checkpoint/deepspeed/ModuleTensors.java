package dev.reweave.checkpoint.deepspeed;

import dev.reweave.common.FirstNames;
import dev.reweave.tensor.NamedTensor;
import java.io.Serializable;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What stands in {@code module}, the state dict of what one rank trained.
 *
 * @param names of all its tensors, in order
 * @param tensors located, as far as they are wanted
 * @param sameView names whose tensor is the same view as an earlier name's
 * @param buffers names of buffers
 * @param noTensors names of what is no tensor, but for extra state
 */
record ModuleTensors(
    List<String> names,
    List<NamedTensor> tensors,
    Map<String, String> sameView,
    Set<String> buffers,
    List<String> noTensors)
    implements Serializable {

  /** The same, as if these tensors were not wanted. */
  ModuleTensors without(Set<String> others) {
    List<NamedTensor> left = tensors.stream().filter(t -> !others.contains(t.name())).toList();
    return new ModuleTensors(names, left, sameView, buffers, noTensors);
  }

  /** What to tell of what it holds beside tensors; nothing if nothing. */
  List<String> notes() {
    return noTensors.isEmpty()
        ? List.of()
        : List.of(
            noTensors.size()
                + " entries of the module are no tensors: left out: "
                + FirstNames.of(noTensors));
  }
}
