package dev.reweave.checkpoint.deepspeed;

import dev.reweave.checkpoint.Checkpoint;
import dev.reweave.checkpoint.LeftTensors;
import dev.reweave.checkpoint.NotTaken;
import dev.reweave.checkpoint.OptimizerState;
import dev.reweave.checkpoint.ReadOptions;
import dev.reweave.checkpoint.Remarks;
import dev.reweave.checkpoint.TorchProbe;
import dev.reweave.checkpoint.Weights;
import dev.reweave.common.Counted;
import dev.reweave.common.ReweaveException;
import dev.reweave.format.pytorch.TorchFile;
import dev.reweave.storage.InputFile;
import dev.reweave.storage.MetadataScanner;
import dev.reweave.tensor.NamedTensor;
import dev.reweave.tensor.StorageRef;
import dev.reweave.tensor.StoredLayout;
import java.io.IOException;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * Reads a tag folder that {@code DeepSpeedEngine.save_checkpoint} wrote: ZeRO stages 0 to 3, with
 * tensor- and pipeline-parallel ranks, and experts.
 */
final class DeepSpeedCheckpoint {
  private static final String FRAMEWORK = "DeepSpeed";

  private final MetadataScanner scanner;
  private final TagFolder folder;
  private final ReadOptions options;
  private final Survey survey = new Survey();

  /** How many tensors the files of layers and experts have, by their indexes. */
  private final Map<Integer, Long> plain = new TreeMap<>();

  private DeepSpeedCheckpoint(MetadataScanner scanner, TagFolder folder, ReadOptions options) {
    this.scanner = scanner;
    this.folder = folder;
    this.options = options;
  }

  /**
   * Reads the structure of a checkpoint.
   *
   * @throws ReweaveException if it is not whole, of a kind that is not read, or lacks the weights
   *     that are asked for
   */
  static Checkpoint read(MetadataScanner scanner, TagFolder folder, ReadOptions options) {
    return new DeepSpeedCheckpoint(scanner, folder, options).read();
  }

  private Checkpoint read() {
    refuseUnknownFiles();
    refuseTwins();
    List<RankFile> optimizer = folder.of(RankFile.Kind.OPTIMIZER);
    boolean partitioned = !folder.of(RankFile.Kind.PARTITIONED_MODEL).isEmpty();
    Weights weights =
        options.weights().orElse(optimizer.isEmpty() ? Weights.MODEL : Weights.MASTER);
    if (weights == Weights.MASTER && optimizer.isEmpty()) {
      throw RankFileFailures.noOptimizerStates(folder.address().uri());
    }
    if (options.wantsOptimizer() && weights == Weights.MODEL) {
      throw ResumeFailures.noOptimizer(optimizer.isEmpty() ? 0 : -1, folder.address().uri());
    }
    if (weights == Weights.MODEL && partitioned) {
      throw optimizer.isEmpty()
          ? ModuleFailures.partitionedWithoutMasters(folder.address().uri())
          : ModuleFailures.partitioned(folder.address().uri());
    }
    requireModelFile(partitioned);
    return checkpoint(
        weights,
        ModelRank.among(
            folder,
            partitioned ? RankFile.Kind.PARTITIONED_MODEL : RankFile.Kind.MODEL,
            weights == Weights.MASTER ? optimizer : List.of()));
  }

  private void refuseUnknownFiles() {
    for (RankFile file : folder.of(RankFile.Kind.UNKNOWN)) {
      throw RankFileFailures.unknownName(file.file().uri());
    }
  }

  /** Files of data-parallel ranks are counted later; of these, a second one would go unseen. */
  private void refuseTwins() {
    Map<String, RankFile> byRank = new HashMap<>();
    for (RankFile file : folder.files()) {
      boolean alone =
          file.kind() == RankFile.Kind.MODEL
              || file.kind() == RankFile.Kind.LAYER
              || file.kind() == RankFile.Kind.EXPERT;
      RankFile twin =
          alone ? byRank.put(file.file().name().replaceAll("_0+(?=\\d)", "_"), file) : null;
      if (twin != null) {
        throw RankFileFailures.twins(twin.file().uri(), file.file().name());
      }
    }
  }

  private void requireModelFile(boolean partitioned) {
    if (!partitioned && folder.of(RankFile.Kind.MODEL).isEmpty()) {
      throw RankFileFailures.noModelStates(folder.address().uri());
    }
  }

  private Checkpoint checkpoint(Weights weights, List<ModelRank> ranks) {
    List<LayerFile> layers = LayerFile.among(folder.files());
    PipelineLayers.requireAll(layers);
    List<InputFile> files = new ArrayList<>();
    List<PlainStates> layerStates = scan(ranks, layers, files);
    OffloadedMasters offloaded =
        new OffloadedMasters(folder.of(RankFile.Kind.OFFLOADED), files.size());
    offloaded.files().forEach(f -> files.add(f.file()));
    MissingFiles missing = new MissingFiles();
    Grid grid = Grid.of(folder.address().uri(), ranks, layers, missing);
    if (weights == Weights.MASTER) {
      ranks.forEach(rank -> rank.check(folder.address().uri(), missing));
    }
    missing.requireNone();
    ModelStates.Run first = ranks.get(0).states().run();
    PipelineLayers pipeline = new PipelineLayers(folder.address().uri(), layers, layerStates);
    ModelParts parts =
        new ModelParts(folder.address().uri(), grid, ranks, pipeline, offloaded, options);
    StateDict dict = parts.unite(weights);
    Optional<OptimizerState> optimizer =
        options.wantsOptimizer()
            ? Optional.of(optimizer(parts, ranks, dict, files))
            : Optional.empty();
    List<String> notes = new ArrayList<>(folder.notes());
    notes.addAll(grid.notes());
    notes.addAll(dict.notes());
    Checkpoint.Source source =
        new Checkpoint.Source(
            FRAMEWORK,
            first.version(),
            weights == Weights.MASTER ? ranks.get(0).stage() : first.setup().stage(),
            first.setup().worldSize(),
            first.setup().precision(),
            folder.tag(),
            folder.tags(),
            weights);
    Checkpoint checkpoint =
        new Checkpoint(
            source,
            files,
            dict.tensors(),
            Map.copyOf(dict.aliases()),
            Map.of(),
            new Remarks(
                notes, survey.cautions(), survey.clientState(), notTaken(weights, files, dict)));
    return optimizer.map(checkpoint::with).orElse(checkpoint);
  }

  /** What a run goes on from. */
  private OptimizerState optimizer(
      ModelParts parts, List<ModelRank> ranks, StateDict dict, List<InputFile> files) {
    List<RankOptimizers> optimizers =
        ranks.stream().map(rank -> rank.optimizers(folder.address().uri())).toList();
    if (optimizers.stream().anyMatch(RankOptimizers::hasExperts)) {
      throw ResumeFailures.experts(folder.address().uri());
    }
    if (!folder.of(RankFile.Kind.OFFLOADED).isEmpty()) {
      throw ResumeFailures.offloaded(folder.address().uri());
    }
    ParameterCuts cuts = new ParameterCuts(options.slicing(), ranks.get(0).states().run().info());
    return new OptimizerAssembly(parts, optimizers, cuts).of(dict, modelStates(files));
  }

  /** The model states, with what is in them to be checked on the way. */
  private List<OptimizerState.WholeFile> modelStates(List<InputFile> files) {
    List<MetadataScanner.Request<Storages>> requests = new ArrayList<>();
    List<Integer> indexes = new ArrayList<>();
    for (int f = 0; f < files.size(); f++) {
      Optional<RankFile.Kind> kind = RankFile.of(files.get(f)).map(RankFile::kind);
      if (kind.equals(Optional.of(RankFile.Kind.MODEL))
          || kind.equals(Optional.of(RankFile.Kind.PARTITIONED_MODEL))) {
        requests.add(TorchProbe.request(files.get(f), f, Storages::of));
        indexes.add(f);
      }
    }
    List<Storages> found = scanner.scan(requests);
    List<OptimizerState.WholeFile> whole = new ArrayList<>();
    for (int i = 0; i < found.size(); i++) {
      whole.add(new OptimizerState.WholeFile(indexes.get(i), found.get(i).all()));
    }
    return whole;
  }

  /** All storages of a file. */
  private record Storages(List<StorageRef> all) implements Serializable {
    static Storages of(TorchFile file) throws IOException {
      return new Storages(file.storages());
    }
  }

  private List<NotTaken> notTaken(Weights weights, List<InputFile> files, StateDict dict) {
    if (weights == Weights.MASTER) {
      for (NamedTensor tensor : dict.tensors()) {
        if (tensor.layout() instanceof StoredLayout stored) {
          plain.computeIfPresent(stored.storage().file(), (file, left) -> left - 1);
        }
      }
      plain.forEach(
          (file, left) -> {
            if (left > 0) {
              survey.add(
                  new LeftTensors(LeftTensors.Kind.COPY, FileTally.MODULE, left, List.of()),
                  files.get(file).uri());
            }
          });
    }
    List<NotTaken> notTaken = new ArrayList<>(survey.notTaken());
    if (options.wantsOptimizer()) {
      // What is in all others is taken, or comes along.
      notTaken.removeIf(left -> !LayerFile.isCalledSo(left.place()));
    }
    int masters = folder.of(RankFile.Kind.OPTIMIZER).size();
    if (weights == Weights.MODEL && masters > 0) {
      notTaken.add(
          new NotTaken(
              "fp32 masters in " + Counted.of(masters, "*_optim_states.pt file"),
              NotTaken.UNCOUNTED,
              "not read: leave --weights out to convert them",
              folder.address().uri()));
    }
    return notTaken;
  }

  /**
   * Reads the structure of all files at once.
   *
   * @param files gets the files, in the order in which layouts count them
   */
  private List<PlainStates> scan(
      List<ModelRank> ranks, List<LayerFile> layers, List<InputFile> files) {
    List<MetadataScanner.Request<Surveyed<RankFacts>>> requests = new ArrayList<>();
    for (ModelRank rank : ranks) {
      List<TorchProbe<Surveyed<RankFacts>>> probes =
          rank.probes(
              options.wantsOptimizer()
                  ? OptimizerStates.Wanted.ALL
                  : OptimizerStates.Wanted.MASTERS);
      for (int i = 0; i < probes.size(); i++) {
        InputFile file = rank.files().get(i);
        requests.add(TorchProbe.request(file, files.size(), probes.get(i)));
        files.add(file);
      }
    }
    for (LayerFile layer : layers) {
      requests.add(TorchProbe.request(layer.file(), files.size(), PlainStates.probe()));
      files.add(layer.file());
    }
    List<RankFacts> facts = survey.take(scanner.scan(requests));
    for (int i = 0; i < facts.size(); i++) {
      if (facts.get(i) instanceof PlainStates states) {
        plain.put(i, states.tensors().stream().filter(t -> t.spec().elements() > 0).count());
      }
    }
    int at = 0;
    for (ModelRank rank : ranks) {
      int end = at + rank.files().size();
      rank.take(facts.subList(at, end));
      at = end;
    }
    return facts.subList(at, facts.size()).stream().map(PlainStates.class::cast).toList();
  }
}
