package dev.reweave.checkpoint.deepspeed;

import dev.reweave.common.ReweaveException;
import dev.reweave.format.pytorch.TorchFile;
import dev.reweave.format.pytorch.TorchTensor;
import dev.reweave.format.pytorch.TorchValue;
import dev.reweave.tensor.NamedTensor;
import dev.reweave.tensor.Shape;
import java.io.IOException;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;

/**
 * What a conversion needs of one {@code *_model_states.pt} (written by {@code
 * DeepSpeedEngine._save_checkpoint}).
 *
 * @param groups shapes of the trained parameters, per optimizer group, in flat group order; empty
 *     if the file has none
 * @param frozen parameters that were not trained
 * @param shared tied names: alias to the name that has the parameter
 * @param unread why tensors of {@code module}, or fragments, cannot be read, by name
 */
record ModelStates(
    Run run,
    List<Map<String, Shape>> groups,
    ModuleTensors module,
    FrozenParameters frozen,
    Map<String, String> shared,
    Map<String, ReweaveException> unread)
    implements RankFacts {

  /**
   * The run that saved the file.
   *
   * @param version DeepSpeed's, or empty
   * @param step the training step that was saved; -1 if the file does not say
   * @param setup how it was trained
   * @param parallel how many tensor- and pipeline-parallel ranks there were
   * @param info what tells how tensor-parallel ranks share tensors
   * @param experts what is said of experts
   */
  record Run(
      String version,
      long step,
      TrainingSetup setup,
      ParallelDegrees parallel,
      UniversalInfo info,
      Experts experts)
      implements Serializable {
    private static Run of(TorchValue root) {
      return new Run(
          root.find("ds_version").filter(TorchValue::isText).map(TorchValue::text).orElse(""),
          ModelPickle.step(root),
          TrainingSetup.of(root),
          ParallelDegrees.of(root),
          UniversalInfo.of(root),
          Experts.of(root));
    }
  }

  /**
   * Parameters that were not trained.
   *
   * @param shapes by name, in order
   * @param fragments the tensors that hold them, whole (ZeRO-2) or a piece each (ZeRO-3)
   */
  record FrozenParameters(Map<String, Shape> shapes, List<NamedTensor> fragments)
      implements Serializable {}

  /** Which tensors of {@code module} are wanted, and so located. */
  enum Wanted {
    /** All: they are what is converted. */
    ALL,
    /**
     * Those that no optimizer group holds: buffers, frozen parameters under ZeRO-1, and parameters
     * without elements.
     */
    UNTRAINED,
    /** The same under ZeRO-3, which leaves a placeholder without elements for each parameter. */
    UNTRAINED_OF_PARTITIONED,
    /** None: another rank's file has the same. */
    SHAPES;

    static Wanted untrained(boolean partitioned) {
      return partitioned ? UNTRAINED_OF_PARTITIONED : UNTRAINED;
    }
  }

  static ModelStates read(TorchFile file, Wanted wanted) throws IOException {
    TorchValue root = file.root();
    ModelPickle pickle = ModelPickle.of(root);
    Set<String> trained = new HashSet<>();
    pickle.groups().forEach(g -> trained.addAll(g.keySet()));
    List<NamedTensor> module = new ArrayList<>();
    for (Map.Entry<String, TorchTensor> e : pickle.module().entrySet()) {
      boolean placeholder =
          wanted == Wanted.UNTRAINED_OF_PARTITIONED
              && e.getValue().elements() == 0
              && !pickle.buffers().contains(e.getKey());
      boolean untrained = !trained.contains(e.getKey()) && !placeholder;
      if (wanted == Wanted.ALL || (wanted != Wanted.SHAPES && untrained)) {
        module.add(file.locate(e.getKey(), e.getValue()));
      }
    }
    List<NamedTensor> fragments = new ArrayList<>();
    for (Map.Entry<String, TorchTensor> e : pickle.fragments()) {
      fragments.add(file.locate(e.getKey(), e.getValue()));
    }
    return new ModelStates(
        Run.of(root),
        pickle.groups(),
        new ModuleTensors(
            List.copyOf(pickle.module().keySet()),
            module,
            pickle.sameViews(),
            pickle.buffers(),
            pickle.noTensors()),
        new FrozenParameters(pickle.frozen(), fragments),
        shared(root, wanted, pickle.module()),
        pickle.unread());
  }

  /** The names of all that the file has, or says where it is. */
  Set<String> names() {
    Set<String> names = new HashSet<>(module.names());
    names.addAll(frozen.shapes().keySet());
    names.addAll(shared.keySet());
    return names;
  }

  /** All trained parameters with their shapes, group after group. */
  Map<String, Shape> trained() {
    Map<String, Shape> all = new LinkedHashMap<>();
    groups.forEach(all::putAll);
    return all;
  }

  /** The same with groups that another file tells. */
  ModelStates withGroups(List<Map<String, Shape>> others) {
    Set<String> names = new HashSet<>();
    others.forEach(g -> names.addAll(g.keySet()));
    return new ModelStates(run, others, module.without(names), frozen, shared, unread);
  }

  /**
   * Refuses what cannot be read.
   *
   * @param wanted says of a name whether its tensor is needed
   * @throws ReweaveException for the first that is
   */
  void requireRead(Predicate<String> wanted) {
    for (Map.Entry<String, ReweaveException> entry : unread.entrySet()) {
      if (wanted.test(entry.getKey())) {
        throw entry.getValue();
      }
    }
  }

  /** What must be the same in the files of all ranks. */
  FrozenPieces.Fingerprint fingerprint() {
    List<String> pieces = frozen.fragments().stream().map(NamedTensor::name).toList();
    return FrozenPieces.Fingerprint.of(run.step(), groups, frozen.shapes(), pieces);
  }

  /**
   * DeepSpeed tells tied parameters by their addresses in memory, and outside ZeRO-3 all that have
   * no elements are at address 0 ({@code DeepSpeedEngine._get_shared_params}).
   */
  private static Map<String, String> shared(
      TorchValue root, Wanted wanted, Map<String, TorchTensor> tensors) {
    Map<String, String> shared = ModelPickle.shared(root);
    if (wanted != Wanted.UNTRAINED_OF_PARTITIONED) {
      shared.keySet().removeIf(n -> tensors.containsKey(n) && tensors.get(n).elements() == 0);
    }
    return shared;
  }
}
