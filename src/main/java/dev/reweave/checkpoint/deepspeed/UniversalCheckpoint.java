package dev.reweave.checkpoint.deepspeed;

import dev.reweave.checkpoint.Checkpoint;
import dev.reweave.checkpoint.ReadOptions;
import dev.reweave.checkpoint.ReadOptions.Frozen;
import dev.reweave.checkpoint.Remarks;
import dev.reweave.checkpoint.TorchProbe;
import dev.reweave.checkpoint.Weights;
import dev.reweave.common.ReweaveException;
import dev.reweave.storage.InputFile;
import dev.reweave.storage.MetadataScanner;
import dev.reweave.storage.Stores;
import dev.reweave.tensor.Shape;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Reads a universal checkpoint, which {@code ds_to_universal.py} makes: the fp32 masters of each
 * parameter in a file of its own, beside the model states of the checkpoint that it was made from.
 * These tell shapes and order, and have what was not trained.
 */
final class UniversalCheckpoint {
  private final Stores stores;
  private final MetadataScanner scanner;
  private final TagFolder folder;
  private final ReadOptions options;
  private final ParameterFolders parameters;
  private final boolean partitioned;
  private final List<RankFile> models;
  private final Survey survey = new Survey();

  private UniversalCheckpoint(
      Stores stores,
      MetadataScanner scanner,
      TagFolder folder,
      ParameterFolders parameters,
      ReadOptions options) {
    this.stores = stores;
    this.scanner = scanner;
    this.folder = folder;
    this.options = options;
    this.parameters = parameters;
    this.partitioned = !folder.of(RankFile.Kind.PARTITIONED_MODEL).isEmpty();
    this.models =
        partitioned
            ? folder.of(RankFile.Kind.PARTITIONED_MODEL).stream()
                .filter(f -> f.modelRank() == 0)
                .toList()
            : folder.of(RankFile.Kind.MODEL);
  }

  /**
   * Reads the structure of a universal checkpoint.
   *
   * @param parameters where its parameters are
   * @throws ReweaveException if it is not whole, or lacks the weights that are asked for
   */
  static Checkpoint read(
      Stores stores,
      MetadataScanner scanner,
      TagFolder folder,
      ParameterFolders parameters,
      ReadOptions options) {
    return new UniversalCheckpoint(stores, scanner, folder, parameters, options).read();
  }

  private Checkpoint read() {
    UniversalProgress progress = new UniversalProgress(stores, folder);
    if (models.isEmpty()) {
      progress.requireModelStates();
    }
    if (options.weights().filter(Weights.MODEL::equals).isPresent()) {
      if (partitioned) {
        throw ModuleFailures.partitioned(folder.address().uri());
      }
      return DeepSpeedCheckpoint.read(scanner, folder, options);
    }
    Map<String, ParameterFolders.Parameter> folders = parameters.parameters(stores, survey);
    List<InputFile> files = new ArrayList<>(models.stream().map(RankFile::file).toList());
    folders.values().forEach(p -> files.add(p.weights()));
    List<Serializable> facts =
        survey.take(scanner.scan(requests(files, List.copyOf(folders.keySet()))));
    List<Serializable> ofModels = facts.subList(0, models.size());
    UniversalMasters masters =
        new UniversalMasters(
            parameters.address().uri(),
            folders,
            facts.subList(models.size(), facts.size()).stream()
                .map(UniversalParameter.class::cast)
                .toList());
    StateDict dict = new StateDict();
    TrainingSetup setup = TrainingSetup.UNKNOWN;
    String version = "";
    if (models.isEmpty()) {
      progress.compare(scanner, folders.keySet()).ifPresent(survey::add);
      new UniversalWeights(parameters.address().uri(), masters.all(dict), Map.of(), 1).addTo(dict);
      dict.note("there are no model states: buffers and frozen parameters are missing");
    } else {
      UniversalStates first = (UniversalStates) ofModels.get(0);
      setup = first.model().run().setup();
      version = first.model().run().version();
      dict = assemble(first, ofModels.subList(1, ofModels.size()), masters);
    }
    List<String> notes = new ArrayList<>(folder.notes());
    notes.addAll(dict.notes());
    Checkpoint.Source source =
        new Checkpoint.Source(
            "DeepSpeed",
            version,
            setup.stage(),
            setup.worldSize(),
            setup.precision(),
            folder.tag(),
            folder.tags(),
            Weights.MASTER);
    return new Checkpoint(
        source,
        files,
        dict.tensors(),
        Map.copyOf(dict.aliases()),
        Map.of(),
        new Remarks(notes, survey.cautions(), survey.clientState(), survey.notTaken()));
  }

  private List<MetadataScanner.Request<Surveyed<Serializable>>> requests(
      List<InputFile> files, List<String> names) {
    List<MetadataScanner.Request<Surveyed<Serializable>>> requests = new ArrayList<>();
    for (int i = 0; i < files.size(); i++) {
      requests.add(
          TorchProbe.request(
              files.get(i),
              i,
              i < models.size()
                  ? ofModel(i)
                  : FileSurvey.PARAMETER.with(ofParameter(names.get(i - models.size())))));
    }
    return requests;
  }

  private TorchProbe<Surveyed<Serializable>> ofModel(int index) {
    if (index > 0 && partitioned) {
      return FileSurvey.MODEL_STATES.with(new FrozenPieces.Probe());
    }
    ModelStates.Wanted wanted = ModelStates.Wanted.untrained(partitioned);
    TorchProbe<Serializable> states =
        index == 0
            ? file -> UniversalStates.read(file, wanted)
            : file -> ModelStates.read(file, ModelStates.Wanted.SHAPES);
    return FileSurvey.MODEL_STATES.with(states);
  }

  private static TorchProbe<Serializable> ofParameter(String name) {
    return file -> UniversalParameter.read(file, name);
  }

  private StateDict assemble(
      UniversalStates first, List<Serializable> others, UniversalMasters masters) {
    ModelStates model = first.model();
    Map<String, Shape> shapes = new LinkedHashMap<>(model.trained());
    Set<String> inModels = new HashSet<>(model.names());
    List<FrozenPieces> pieces = new ArrayList<>();
    for (Serializable other : others) {
      if (other instanceof FrozenPieces ofRank) {
        pieces.add(ofRank);
      } else {
        // Pipeline stages have parameters of their own; tensor-parallel ranks have the same names.
        ((ModelStates) other).trained().forEach(shapes::putIfAbsent);
        inModels.addAll(((ModelStates) other).names());
      }
    }
    RankCheck.checkSameStep(models, model, pieces);
    long ranks = Math.max(model.run().parallel().size(), partitioned ? 1 : models.size());
    String missing = missing(model, ranks);
    StateDict dict =
        new MasterWeights(model, pieces, 0, models.get(0).file().uri(), ExpertWeights.none())
            .assemble(
                missing.isEmpty() ? options.frozen() : Frozen.EXCLUDE,
                d ->
                    new UniversalWeights(
                            parameters.address().uri(),
                            masters.of(d, ties(model), shapes.keySet(), inModels, ranks).stream()
                                .map(p -> p.withVocabulary(first.vocabularySize()))
                                .toList(),
                            shapes,
                            ranks)
                        .addTo(d));
    if (!missing.isEmpty()) {
      dict.note(missing);
    }
    if (model.run().setup().roundRobin() && !partitioned) {
      // Its converter believes what FlatPartitions does not.
      dict.note(
          "the training had round_robin_gradients: DeepSpeed's converter up to 0.19.8 gives"
              + " parameters of such groups each other's masters, unless there are gaps between"
              + " them; rather convert the checkpoint that this was made from");
    }
    return dict;
  }

  private static Map<String, String> ties(ModelStates model) {
    Map<String, String> ties = new LinkedHashMap<>(model.module().sameView());
    ties.putAll(model.shared());
    return ties;
  }

  /** Why parameters that were not trained cannot be had whole; empty if they can. */
  private String missing(ModelStates model, long ranks) {
    if (ranks > 1) {
      return "trained with "
          + ranks
          + " tensor- or pipeline-parallel ranks: a universal checkpoint has only the first one's"
          + " part of what was not trained, so frozen parameters are left out";
    }
    if (partitioned
        && !model.frozen().shapes().isEmpty()
        && models.size() < model.run().setup().worldSize()) {
      return "the model states of "
          + (model.run().setup().worldSize() - models.size())
          + " ranks are missing, and with them their pieces of the frozen parameters, so these are"
          + " left out";
    }
    return "";
  }
}
