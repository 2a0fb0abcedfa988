package dev.reweave.checkpoint.deepspeed;

import dev.reweave.checkpoint.ReadOptions.Frozen;
import dev.reweave.checkpoint.TorchProbe;
import dev.reweave.common.ReweaveException;
import dev.reweave.storage.InputFile;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import java.util.stream.Stream;

/**
 * One tensor- and pipeline-parallel rank: the files that its data-parallel ranks wrote, and what
 * they say. A plain data-parallel checkpoint has one.
 */
final class ModelRank {
  private final int index;
  private final List<RankFile> models;
  private final List<RankFile> optimizer;
  private final List<ExpertFile> experts;
  private final boolean partitioned;
  private List<RankFacts> facts = List.of();

  private ModelRank(
      int index,
      List<RankFile> models,
      List<RankFile> optimizer,
      List<ExpertFile> experts,
      boolean partitioned) {
    this.index = index;
    this.models = models;
    this.optimizer = optimizer;
    this.experts = experts;
    this.partitioned = partitioned;
  }

  /**
   * The ranks that have model states.
   *
   * @param kind of the model states
   * @param optimizer their optimizer states; none where these are not wanted
   * @throws ReweaveException if a rank has one without the other
   */
  static List<ModelRank> among(TagFolder folder, RankFile.Kind kind, List<RankFile> optimizer) {
    List<ModelRank> ranks = new ArrayList<>();
    TreeSet<Integer> indexes = new TreeSet<>();
    folder.of(kind).forEach(f -> indexes.add(f.modelRank()));
    optimizer.forEach(f -> indexes.add(f.modelRank()));
    folder.of(RankFile.Kind.EXPERT).forEach(f -> indexes.add(f.modelRank()));
    List<ExpertFile> experts = ExpertFile.among(folder.files());
    MissingFiles missing = new MissingFiles();
    for (int index : indexes) {
      List<RankFile> models = of(folder.of(kind), index);
      List<RankFile> states = of(optimizer, index);
      addMissing(models, folder.of(kind), index, "model", missing);
      addMissing(states, optimizer, index, "optimizer", missing);
      boolean partitioned = kind == RankFile.Kind.PARTITIONED_MODEL;
      List<ExpertFile> ofRank = experts.stream().filter(f -> f.modelRank() == index).toList();
      ranks.add(new ModelRank(index, models, states, ofRank, partitioned));
    }
    missing.requireNone();
    return ranks;
  }

  private static List<RankFile> of(List<RankFile> files, int index) {
    return files.stream().filter(f -> f.modelRank() == index).toList();
  }

  /** Where a rank has none of a kind of files, all that the others' names tell of are missing. */
  private static void addMissing(
      List<RankFile> files, List<RankFile> ofAll, int index, String what, MissingFiles missing) {
    if (files.isEmpty() && !ofAll.isEmpty()) {
      String problem =
          "the " + what + " states of tensor- or pipeline-parallel rank " + index + " are missing";
      ofAll.stream()
          .map(f -> f.addressOfModelRank(index))
          .distinct()
          .forEach(address -> missing.add(problem, address));
    }
  }

  int index() {
    return index;
  }

  /** The model states of its first data-parallel rank. */
  RankFile modelFile() {
    return models.get(0);
  }

  /** The files of data-parallel ranks, model states first. */
  List<RankFile> rankFiles() {
    return Stream.concat(models.stream(), optimizer.stream()).toList();
  }

  /** All files, model states first, then optimizer states, then experts. */
  List<InputFile> files() {
    List<InputFile> files = new ArrayList<>();
    rankFiles().forEach(f -> files.add(f.file()));
    experts.forEach(f -> files.add(f.file()));
    return files;
  }

  /**
   * What to read of each file.
   *
   * @param ofOptimizers what of those of optimizer states
   */
  List<TorchProbe<Surveyed<RankFacts>>> probes(OptimizerStates.Wanted ofOptimizers) {
    ModelStates.Wanted wanted =
        optimizer.isEmpty() ? ModelStates.Wanted.ALL : ModelStates.Wanted.untrained(partitioned);
    List<TorchProbe<Surveyed<RankFacts>>> probes = new ArrayList<>();
    TorchProbe<RankFacts> first = file -> ModelStates.read(file, wanted);
    probes.add(FileSurvey.MODEL_STATES.with(first));
    for (int i = 1; i < models.size(); i++) {
      probes.add(FileSurvey.MODEL_STATES.with(new FrozenPieces.Probe()));
    }
    for (int i = 0; i < optimizer.size(); i++) {
      TorchProbe<RankFacts> states =
          i == 0
              ? file -> OptimizerStates.read(file, ofOptimizers)
              : file -> OptimizerStates.read(file, ofOptimizers).ofFurtherRank();
      probes.add(FileSurvey.OPTIMIZER_STATES.with(states));
    }
    experts.forEach(f -> probes.add(PlainStates.probe()));
    return probes;
  }

  /** Takes what was read, in the order of the files. */
  void take(List<RankFacts> read) {
    facts = List.copyOf(read);
  }

  /** What the first data-parallel rank's model states say. */
  ModelStates states() {
    return (ModelStates) facts.get(0);
  }

  /** ZeRO stage; only where there are optimizer states. */
  int stage() {
    return optimizerStates().get(0).stage();
  }

  private List<OptimizerStates> optimizerStates() {
    return facts.subList(models.size(), models.size() + optimizer.size()).stream()
        .map(OptimizerStates.class::cast)
        .toList();
  }

  private ExpertWeights expertWeights(String folder) {
    List<PlainStates> states =
        facts.subList(models.size() + optimizer.size(), facts.size()).stream()
            .map(PlainStates.class::cast)
            .toList();
    return new ExpertWeights(folder, index, states().run().experts(), experts, states);
  }

  /** The module's own weights. */
  StateDict module(String folder, Frozen frozen) {
    StateDict dict = ModuleWeights.assemble(states(), frozen, modelFile().file().uri());
    ExpertWeights weights = expertWeights(folder);
    if (!weights.isEmpty()) {
      weights.complete(dict, states(), frozen);
      new ExpertOrder(weights.experts(), states()).arrange(dict);
    }
    return dict;
  }

  /** Checks that the files go together, as far as their masters are wanted. */
  void check(String folder, MissingFiles missing) {
    RankCheck.check(folder, states(), optimizer, optimizerStates(), models, partitioned, missing);
  }

  /** What its data-parallel ranks' optimizers keep, of files that were read with all of it. */
  RankOptimizers optimizers(String folder) {
    List<OptimizerStates> states = optimizerStates();
    ModelStates model = OldShapes.in(states(), states, optimizer.get(0).file().uri());
    return new RankOptimizers(
        model, optimizer, states, modelFile().file().uri(), expertWeights(folder));
  }

  /**
   * The fp32 masters with what has none, of files that were checked.
   *
   * @param offloaded those that are in files of their own
   */
  StateDict masters(String folder, Frozen frozen, OffloadedMasters offloaded) {
    List<OptimizerStates> states = optimizerStates();
    List<FrozenPieces> others =
        facts.subList(1, models.size()).stream().map(FrozenPieces.class::cast).toList();
    RankCheck.checkSameStep(models, states(), others);
    ModelStates model = OldShapes.in(states(), states, optimizer.get(0).file().uri());
    String place = modelFile().file().uri();
    ExpertWeights weights = expertWeights(folder);
    List<OptimizerStates> whole = offloaded.broughtBack(model, optimizer, states);
    Partitions partitions = new Partitions(model, optimizer, whole, place, weights);
    return new MasterWeights(model, others, stage(), place, weights)
        .assemble(frozen, partitions::addTo);
  }
}
