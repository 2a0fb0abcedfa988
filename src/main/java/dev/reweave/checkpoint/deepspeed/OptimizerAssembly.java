package dev.reweave.checkpoint.deepspeed;

import dev.reweave.checkpoint.OptimizerState;
import dev.reweave.common.FirstNames;
import dev.reweave.format.pytorch.StoredValue;
import dev.reweave.tensor.NamedTensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/** What a run goes on from, put together from what all ranks' optimizers keep. */
final class OptimizerAssembly {
  /** What optimizers call the number of steps that they have done. */
  private static final String STEP = "step";

  private final ModelParts parts;
  private final List<RankOptimizers> ranks;
  private final ParameterCuts cuts;

  /**
   * @param parts of the model
   * @param ranks what the tensor- and pipeline-parallel ranks have, in rank order
   */
  OptimizerAssembly(ModelParts parts, List<RankOptimizers> ranks, ParameterCuts cuts) {
    this.parts = parts;
    this.ranks = ranks;
    this.cuts = cuts;
  }

  /**
   * Puts it together.
   *
   * @param weights the whole model, with its masters
   * @param whole files that come along as they are
   * @throws dev.reweave.common.ReweaveException if what ranks have does not go together
   */
  OptimizerState of(StateDict weights, List<OptimizerState.WholeFile> whole) {
    Set<String> keys = new TreeSet<>();
    Set<String> others = new TreeSet<>();
    Map<String, StoredValue> steps = new LinkedHashMap<>();
    Set<String> trained = new TreeSet<>();
    for (RankOptimizers rank : ranks) {
      keys.addAll(rank.keys());
      others.addAll(rank.others());
      rank.steps(STEP).forEach(steps::putIfAbsent);
      trained.addAll(rank.parameters());
    }
    // What lies otherwise on one rank can lie so by chance on another.
    keys.removeAll(others);
    Map<String, StateDict> states = new LinkedHashMap<>();
    keys.forEach(key -> states.put(key, parts.uniteStates(key)));
    if (!others.isEmpty()) {
      weights.note(
          "optimizer states that are not kept for each element of a parameter stay behind, and"
              + " begin anew: "
              + FirstNames.of(List.copyOf(others)));
    }
    List<OptimizerState.Parameter> parameters = new ArrayList<>();
    for (NamedTensor tensor : weights.tensors()) {
      if (trained.contains(tensor.name())) {
        parameters.add(parameter(tensor, states, Optional.ofNullable(steps.get(tensor.name()))));
      }
    }
    return new OptimizerState(parameters, ranks.get(0).common(), whole);
  }

  private OptimizerState.Parameter parameter(
      NamedTensor tensor, Map<String, StateDict> states, Optional<StoredValue> step) {
    Map<String, NamedTensor> own = new LinkedHashMap<>();
    states.forEach(
        (key, dict) -> {
          if (dict.hasTensor(tensor.name())) {
            own.put(key, cuts.trimmed(dict.tensor(tensor.name())));
          }
        });
    NamedTensor master = cuts.trimmed(tensor);
    return new OptimizerState.Parameter(
        master, own, step, cuts.of(tensor.name(), master.spec().shape()));
  }
}
