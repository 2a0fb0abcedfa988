package dev.reweave.checkpoint.deepspeed;

import dev.reweave.checkpoint.ReadOptions;
import dev.reweave.checkpoint.Weights;
import dev.reweave.common.ReweaveException;
import dev.reweave.tensor.NamedTensor;
import dev.reweave.tensor.Shape;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** What all ranks have of a model, put together: first the stages, then the tensor ranks. */
final class ModelParts {
  private final String folder;
  private final Grid grid;
  private final List<ModelRank> ranks;
  private final PipelineLayers layers;
  private final ReadOptions options;
  private final OffloadedMasters offloaded;

  /**
   * @param ranks in rank order, read
   * @param layers the files of pipeline layers, if there are any
   * @param offloaded masters that are in files of their own
   */
  ModelParts(
      String folder,
      Grid grid,
      List<ModelRank> ranks,
      PipelineLayers layers,
      OffloadedMasters offloaded,
      ReadOptions options) {
    this.folder = folder;
    this.grid = grid;
    this.ranks = ranks;
    this.layers = layers;
    this.offloaded = offloaded;
    this.options = options;
  }

  /**
   * The whole model.
   *
   * @throws ReweaveException if something is missing, or it is not clear how parts go together
   */
  StateDict unite(Weights weights) {
    Set<String> buffers = new HashSet<>();
    ranks.forEach(rank -> buffers.addAll(rank.states().module().buffers()));
    List<StateDict> whole = new ArrayList<>();
    List<Set<String>> modules = new ArrayList<>();
    for (int t = 0; t < grid.tensor(); t++) {
      modules.add(moduleNames(t));
      whole.add(weights == Weights.MASTER ? masters(t, buffers) : module(t, buffers));
    }
    return new TensorUnion(folder, options.slicing(), info(), buffers).unite(whole, modules);
  }

  /**
   * What the optimizers keep of the whole model under one key.
   *
   * @throws ReweaveException if it is not clear how parts go together
   */
  StateDict uniteStates(String key) {
    List<StateDict> whole = new ArrayList<>();
    List<Set<String>> modules = new ArrayList<>();
    for (int t = 0; t < grid.tensor(); t++) {
      modules.add(moduleNames(t));
      StateDict dict = new StateDict();
      for (int stage = 0; stage < grid.pipeline(); stage++) {
        add(dict, ranks.get(grid.rank(stage, t)).optimizers(folder).states(key));
      }
      whole.add(dict);
    }
    return new TensorUnion(folder, options.slicing(), info(), Set.of()).unite(whole, modules);
  }

  private UniversalInfo info() {
    return ranks.get(0).states().run().info();
  }

  private Set<String> moduleNames(int tensorRank) {
    Set<String> names = new HashSet<>();
    for (int stage = 0; stage < grid.pipeline(); stage++) {
      names.addAll(ranks.get(grid.rank(stage, tensorRank)).states().module().names());
    }
    return names;
  }

  private StateDict masters(int tensorRank, Set<String> buffers) {
    StateDict dict = new StateDict();
    for (int stage = 0; stage < grid.pipeline(); stage++) {
      ModelRank rank = ranks.get(grid.rank(stage, tensorRank));
      add(dict, rank.masters(folder, options.frozen(), offloaded));
      if (layers.isEmpty() && rank.states().module().names().isEmpty()) {
        dict.note("the model states hold no module, and so no buffers");
      }
    }
    return layers.isEmpty() ? dict : layers.around(dict, tensorRank, buffers, options.frozen());
  }

  private StateDict module(int tensorRank, Set<String> buffers) {
    if (!layers.isEmpty()) {
      Map<String, Shape> trained = new LinkedHashMap<>();
      for (int stage = 0; stage < grid.pipeline(); stage++) {
        trained.putAll(ranks.get(grid.rank(stage, tensorRank)).states().trained());
      }
      return layers.module(tensorRank, trained, buffers, options.frozen());
    }
    StateDict dict = new StateDict();
    for (int stage = 0; stage < grid.pipeline(); stage++) {
      ModelRank rank = ranks.get(grid.rank(stage, tensorRank));
      if (rank.states().module().tensors().isEmpty() && rank.states().unread().isEmpty()) {
        throw ModuleFailures.empty(rank.modelFile().file().uri());
      }
      add(dict, rank.module(folder, options.frozen()));
    }
    return dict;
  }

  /** What several stages have, such as a tied embedding, is the first one's. */
  private void add(StateDict dict, StateDict stage) {
    for (NamedTensor tensor : stage.tensors()) {
      if (dict.hasTensor(tensor.name())
          && !dict.tensor(tensor.name()).spec().equals(tensor.spec())) {
        throw ModuleFailures.stagesDisagree(
            tensor.name(),
            dict.tensor(tensor.name()).spec().shape(),
            tensor.spec().shape(),
            folder);
      }
    }
    dict.addAll(stage);
  }
}
