package dev.reweave.checkpoint.deepspeed;

import dev.reweave.format.pytorch.StoredValue;
import dev.reweave.tensor.DType;
import dev.reweave.tensor.FlatBuffer;
import dev.reweave.tensor.NamedTensor;
import dev.reweave.tensor.Shape;
import dev.reweave.tensor.StorageRef;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * What the optimizers of the data-parallel ranks of one tensor- and pipeline-parallel rank keep
 * beside the masters. It lies as these do, and so is put together as they are.
 */
final class RankOptimizers {
  /** The file of what stands in the place of a partition that has no such state. */
  private static final int NOWHERE = -1;

  private final ModelStates model;
  private final List<RankFile> files;
  private final List<OptimizerStates> ranks;
  private final String modelPlace;
  private final ExpertWeights experts;

  /** As of {@link Partitions}, of files that were read with what their optimizers keep. */
  RankOptimizers(
      ModelStates model,
      List<RankFile> files,
      List<OptimizerStates> ranks,
      String modelPlace,
      ExpertWeights experts) {
    this.model = model;
    this.files = files;
    this.ranks = ranks;
    this.modelPlace = modelPlace;
    this.experts = experts;
  }

  private FlatStates of(int rank) {
    return ranks.get(rank).kept().states();
  }

  /** Whether there are experts, which ranks share otherwise than all else. */
  boolean hasExperts() {
    return !experts.isEmpty();
  }

  /** The names of the trained parameters. */
  Set<String> parameters() {
    return model.trained().keySet();
  }

  /** The keys of all that lies as the masters do. */
  Set<String> keys() {
    Set<String> keys = new TreeSet<>();
    for (int r = 0; r < ranks.size(); r++) {
      of(r).tensors().forEach(partition -> keys.addAll(partition.keySet()));
    }
    return keys;
  }

  /** The keys of what does not. */
  Set<String> others() {
    Set<String> keys = new TreeSet<>();
    for (int r = 0; r < ranks.size(); r++) {
      keys.addAll(of(r).others());
    }
    return keys;
  }

  /** What is the same for all parameters. */
  StoredValue common() {
    return ranks.get(0).kept().common();
  }

  /**
   * What is kept of parameters under a key; nothing of those that have no such state.
   *
   * @throws dev.reweave.common.ReweaveException if some ranks have it of a partition and others do
   *     not
   */
  StateDict states(String key) {
    List<OptimizerStates> others = new ArrayList<>();
    DType dtype = dtype(key);
    for (int r = 0; r < ranks.size(); r++) {
      List<FlatBuffer.StorageRun> runs = new ArrayList<>();
      for (int p = 0; p < ranks.get(r).flat().size(); p++) {
        Optional<FlatBuffer.StorageRun> run = run(r, p, key);
        if (run.isPresent() != run(0, p, key).isPresent()) {
          throw ResumeFailures.someRanksLack(
              key, p, files.get(run.isPresent() ? 0 : r).file().uri());
        }
        long elements = ranks.get(r).flat().get(p).elements();
        runs.add(run.orElseGet(() -> nothing(dtype, elements)));
      }
      others.add(ranks.get(r).withFlat(runs));
    }
    StateDict all = new StateDict();
    new Partitions(model, files, others, modelPlace, experts).addTo(all);
    StateDict present = new StateDict();
    all.tensors().stream().filter(RankOptimizers::isThere).forEach(present::add);
    return present;
  }

  private Optional<FlatBuffer.StorageRun> run(int rank, int partition, String key) {
    return Optional.ofNullable(of(rank).tensors().get(partition).get(key));
  }

  private DType dtype(String key) {
    return of(0).tensors().stream()
        .filter(partition -> partition.containsKey(key))
        .findFirst()
        .map(partition -> partition.get(key).storage().dtype())
        .orElse(DType.F32);
  }

  private static FlatBuffer.StorageRun nothing(DType dtype, long elements) {
    StorageRef storage =
        new StorageRef(
            NOWHERE, "", 0, dtype, elements, StorageRef.Endian.LITTLE, StorageRef.NO_CRC);
    return new FlatBuffer.StorageRun(storage, 0, elements);
  }

  private static boolean isThere(NamedTensor tensor) {
    boolean[] there = {true};
    tensor
        .layout()
        .runs(
            0,
            Math.min(1, tensor.layout().elements()),
            (storage, offset, elements) -> there[0] = storage.file() != NOWHERE);
    return there[0];
  }

  /**
   * By parameter, how many steps its optimizer has done, as the first rank says it; nothing of
   * those that have no count.
   *
   * @throws dev.reweave.common.ReweaveException if ranks say otherwise
   */
  Map<String, StoredValue> steps(String key) {
    Map<String, StoredValue> steps = new LinkedHashMap<>();
    List<Map<String, Shape>> groups = model.groups();
    for (int p = 0; p < groups.size() && p < of(0).values().size(); p++) {
      StoredValue step = of(0).values().get(p).get(key);
      for (int r = 1; r < ranks.size(); r++) {
        StoredValue other = of(r).values().get(p).get(key);
        if (step == null ? other != null : !step.isSameAs(other)) {
          throw ResumeFailures.countsDiffer(
              p, files.get(0).file().uri(), files.get(r).file().uri());
        }
      }
      if (step != null) {
        groups.get(p).keySet().forEach(name -> steps.put(name, step));
      }
    }
    return steps;
  }
}
