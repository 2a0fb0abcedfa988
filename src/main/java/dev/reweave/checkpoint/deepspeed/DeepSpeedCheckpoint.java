package dev.reweave.checkpoint.deepspeed;

import dev.reweave.ReweaveException;
import dev.reweave.checkpoint.Checkpoint;
import dev.reweave.checkpoint.MetadataScanner;
import dev.reweave.checkpoint.ReadOptions;
import dev.reweave.checkpoint.Weights;
import dev.reweave.storage.InputFile;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Reads a tag folder that {@code DeepSpeedEngine.save_checkpoint} wrote: ZeRO stages 0 to 3. */
public final class DeepSpeedCheckpoint {
  private static final String FRAMEWORK = "DeepSpeed";

  private final MetadataScanner scanner;
  private final TagFolder folder;
  private final ReadOptions options;

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
  public static Checkpoint read(MetadataScanner scanner, TagFolder folder, ReadOptions options) {
    return new DeepSpeedCheckpoint(scanner, folder, options).read();
  }

  private Checkpoint read() {
    refuseOtherParallelism();
    List<RankFile> optimizer = folder.of(RankFile.Kind.OPTIMIZER);
    boolean partitioned = !folder.of(RankFile.Kind.PARTITIONED_MODEL).isEmpty();
    Weights weights =
        options.weights().orElse(optimizer.isEmpty() ? Weights.MODEL : Weights.MASTER);
    if (weights == Weights.MASTER && optimizer.isEmpty()) {
      throw new ReweaveException(
          "there are no *_optim_states.pt files, and so no fp32 master weights",
          folder.address(),
          "copy them from the training run, or convert the module's own with --weights model");
    }
    if (weights == Weights.MODEL && partitioned) {
      throw new ReweaveException(
          "a ZeRO-3 checkpoint keeps no whole module weights",
          folder.address(),
          optimizer.isEmpty()
              ? "its *_optim_states.pt files are missing: copy them from the training run"
              : "convert the fp32 masters: leave --weights out");
    }
    return weights == Weights.MASTER ? readMasters(optimizer, partitioned) : readModule();
  }

  private void refuseOtherParallelism() {
    for (RankFile file : folder.files()) {
      if (file.kind() == RankFile.Kind.LAYER_OR_EXPERT) {
        throw unsupported("pipeline layers or experts in files of their own", file.file().uri());
      }
      if (file.modelRank() > 0) {
        throw unsupported("tensor- or pipeline-parallel ranks", file.file().uri());
      }
    }
  }

  private static ReweaveException unsupported(String what, String place) {
    return new ReweaveException(
        "checkpoints with " + what + " are not read yet",
        place,
        "convert a checkpoint that was trained with data parallelism alone");
  }

  private Checkpoint readModule() {
    RankFile model = modelFile();
    ModelStates states =
        (ModelStates) scan(List.of(model), f -> ModelStates.read(f, ModelStates.Wanted.ALL)).get(0);
    refuseExperts(states, model);
    if (states.module().isEmpty()) {
      throw new ReweaveException(
          "'module' holds no tensors",
          model.file().uri(),
          "the weights were saved elsewhere, or this is a pipeline-parallel checkpoint");
    }
    StateDict dict = ModuleWeights.assemble(states, options.frozen(), model.file().uri());
    int stage = states.setup().stage();
    return checkpoint(states, Weights.MODEL, stage, List.of(model), dict);
  }

  private Checkpoint readMasters(List<RankFile> optimizer, boolean partitioned) {
    List<RankFile> models =
        partitioned ? folder.of(RankFile.Kind.PARTITIONED_MODEL) : List.of(modelFile());
    List<RankFile> all = new ArrayList<>(models);
    all.addAll(optimizer);
    List<MetadataScanner.Request<RankFacts>> requests = new ArrayList<>();
    for (int i = 0; i < all.size(); i++) {
      requests.add(new MetadataScanner.Request<>(all.get(i).file(), i, probe(i, models.size())));
    }
    List<RankFacts> facts = scanner.scan(requests);
    ModelStates first = (ModelStates) facts.get(0);
    refuseExperts(first, models.get(0));
    List<OptimizerStates> ranks =
        facts.subList(models.size(), facts.size()).stream()
            .map(OptimizerStates.class::cast)
            .toList();
    RankCheck.check(folder.address(), optimizer, ranks, models, partitioned);
    List<FrozenPieces> others =
        facts.subList(1, models.size()).stream().map(FrozenPieces.class::cast).toList();
    RankCheck.checkSameStep(models, first, others);
    StateDict dict =
        new MasterWeights(first, others, optimizer, ranks, models.get(0).file().uri())
            .assemble(options.frozen());
    int stage = ranks.get(0).stage();
    return checkpoint(first, Weights.MASTER, stage, all, dict);
  }

  private static MetadataScanner.Probe<RankFacts> probe(int index, int models) {
    if (index == 0) {
      return file -> ModelStates.read(file, ModelStates.Wanted.UNTRAINED);
    }
    return index < models ? FrozenPieces::read : OptimizerStates::read;
  }

  private List<RankFacts> scan(List<RankFile> files, MetadataScanner.Probe<RankFacts> probe) {
    List<MetadataScanner.Request<RankFacts>> requests = new ArrayList<>();
    for (int i = 0; i < files.size(); i++) {
      requests.add(new MetadataScanner.Request<>(files.get(i).file(), i, probe));
    }
    return scanner.scan(requests);
  }

  private RankFile modelFile() {
    List<RankFile> models = folder.of(RankFile.Kind.MODEL);
    if (models.isEmpty()) {
      boolean partitioned = !folder.of(RankFile.Kind.PARTITIONED_MODEL).isEmpty();
      throw new ReweaveException(
          partitioned ? "no mp_rank_00_model_states.pt" : "the model states file is missing",
          folder.address() + "/mp_rank_00_model_states.pt",
          "the checkpoint was not saved or copied whole: copy the file from the training run");
    }
    return models.get(0);
  }

  private static void refuseExperts(ModelStates states, RankFile file) {
    if (states.hasExperts()) {
      throw unsupported("experts", file.file().uri());
    }
    if (states.modelParallelSize() > 1) {
      throw unsupported(
          states.modelParallelSize() + " tensor- or pipeline-parallel ranks", file.file().uri());
    }
  }

  private Checkpoint checkpoint(
      ModelStates states, Weights weights, int stage, List<RankFile> read, StateDict dict) {
    List<InputFile> files = read.stream().map(RankFile::file).toList();
    List<String> notes = new ArrayList<>(folder.notes());
    notes.addAll(dict.notes());
    Checkpoint.Source source =
        new Checkpoint.Source(
            FRAMEWORK,
            states.version(),
            stage,
            states.setup().worldSize(),
            states.setup().precision(),
            folder.tag(),
            folder.tags(),
            weights);
    return new Checkpoint(source, files, dict.tensors(), Map.copyOf(dict.aliases()), notes);
  }
}
