package dev.reweave.checkpoint.huggingface;

import dev.reweave.checkpoint.Checkpoint;
import dev.reweave.checkpoint.CheckpointFormat;
import dev.reweave.checkpoint.Contents;
import dev.reweave.checkpoint.NumberedSteps;
import dev.reweave.checkpoint.Place;
import dev.reweave.checkpoint.RankName;
import dev.reweave.checkpoint.ReadOptions;
import dev.reweave.checkpoint.statedict.StateDictFile;
import dev.reweave.common.Location;
import dev.reweave.common.ReweaveException;
import dev.reweave.storage.InputFile;
import dev.reweave.storage.Stores;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;

/** What libraries load models from: safetensors and {@code pytorch_model.bin}, with an index. */
public final class ModelFormat implements CheckpointFormat {
  private static final String PIPELINE = "model_index.json";

  /** What torchtitan calls the folder of a step, with its number behind. */
  private static final String STEP = "step-";

  /** More than what tells weights of one model from each other. */
  private static final int BESIDE = 4;

  @Override
  public List<Contents> in(Place place) {
    if (place.file().isPresent()) {
      return named(place, place.file().get());
    }
    if (place.listing().files().stream().anyMatch(f -> f.name().equals(PIPELINE))) {
      return List.of(new Pipeline(place));
    }
    List<WeightFiles> all = WeightFiles.among(place.stores(), place.listing().files());
    if (all.isEmpty()) {
      List<Contents> slices = notConsolidated(place);
      return slices.isEmpty() ? steps(place) : slices;
    }
    List<Contents> models = new ArrayList<>();
    for (WeightFiles weights : all) {
      models.add(new Model(place, weights, precedence(weights, all)));
    }
    return models;
  }

  /** The slices below a folder in which torch would have put them together. */
  private static List<Contents> notConsolidated(Place place) {
    return place.listing().folders().stream()
        .filter(folder -> folder.name().equals(SliceName.FOLDER))
        .flatMap(
            folder ->
                WeightFiles.among(place.stores(), place.stores().list(folder).files()).stream())
        .filter(WeightFiles::isSliced)
        .map(weights -> (Contents) new Model(place, weights, 0))
        .toList();
  }

  /**
   * Steps that torchtitan has saved as models: the last one, with {@code last_save_in_hf}, beside
   * others that are distributed checkpoints, or all.
   */
  private static List<Contents> steps(Place place) {
    return NumberedSteps.in(place, STEP, ModelFormat::ofStep)
        .filter(NumberedSteps::hasNewest)
        .map(List::<Contents>of)
        .orElse(List.of());
  }

  private static Optional<Contents> ofStep(Place step) {
    List<WeightFiles> all = WeightFiles.among(step.stores(), step.listing().files());
    return all.size() == 1 && !all.get(0).isSliced() && !all.get(0).isTorch()
        ? Optional.of(new Model(step, all.get(0), 0))
        : Optional.empty();
  }

  private static int precedence(WeightFiles weights, List<WeightFiles> all) {
    int own = (weights.isTorch() ? 2 : 0) + (weights.hasVariant() ? 1 : 0);
    if (!isLeftover(weights, all)) {
      return own;
    }
    // An index says what is missing better than the shards of which it names none.
    return own + (weights.shards().isEmpty() ? BESIDE : 2 * BESIDE);
  }

  /**
   * Whether, beside other weights, these are not what is meant: shards that no index names where
   * there is one, or that are not whole; an index without shards; slices beside whole tensors;
   * files that systems hide, as macOS puts {@code ._model.safetensors} beside each file of its own.
   */
  private static boolean isLeftover(WeightFiles weights, List<WeightFiles> all) {
    Predicate<WeightFiles> indexed = w -> !w.indexes().isEmpty() && !w.shards().isEmpty();
    return weights.shards().isEmpty()
        || weights.isSliced()
        || weights.stem().startsWith(".")
        || !weights.missing().isEmpty()
        || (weights.lacksIndex() && all.stream().anyMatch(indexed));
  }

  /**
   * The model of one file of weights, or of an index with what lies beside it; empty for other
   * files.
   */
  private static List<Contents> named(Place place, InputFile file) {
    boolean index = WeightGroups.isIndex(file.name());
    if (!index && !WeightFiles.isWeights(file.name())) {
      return List.of();
    }
    List<Contents> models = new ArrayList<>();
    for (WeightFiles weights : WeightFiles.among(place.stores(), around(place.stores(), file))) {
      boolean meant =
          (index ? weights.indexes() : weights.shards())
              .stream().anyMatch(f -> f.location().equals(file.location()));
      if (index) {
        models.add(new Model(place, weights, meant ? 0 : BESIDE));
      } else if (meant && PartOfModel.is(file, weights)) {
        return List.of(new PartOfModel(file, weights));
      }
    }
    return index ? models : List.of(new Model(place, WeightFiles.of(file), 0));
  }

  /** The files of the folder; of one that cannot be listed, the file alone. */
  private static List<InputFile> around(Stores stores, InputFile file) {
    try {
      return stores.list(file.folder()).files();
    } catch (ReweaveException e) {
      e.throwIfOfStore();
      return List.of(file);
    }
  }

  private record Model(Place place, WeightFiles weights, int precedence) implements Contents {
    @Override
    public String name() {
      return weights.name();
    }

    @Override
    public Location address() {
      return weights.entry().location();
    }

    @Override
    public boolean isNamedAlone() {
      return weights.isNamedByOneFile();
    }

    @Override
    public boolean isLoadable() {
      return !weights.isSliced() && !(weights.isTorch() && place.file().isPresent());
    }

    @Override
    public List<InputFile> files(Optional<String> wanted) {
      return weights.files();
    }

    @Override
    public Checkpoint read(ReadOptions options) {
      if (weights.shards().isEmpty()) {
        // An index that cannot be read, or names files elsewhere, lacks none that can be copied.
        WeightsCheck.of(place.stores(), weights).unreadable().stream()
            .findFirst()
            .ifPresent(
                e -> {
                  throw e;
                });
        throw HuggingFaceFailures.indexAlone(weights.entry().uri());
      }
      return EmptyWeights.told(place.stores(), weights.entry(), contents(options));
    }

    private Checkpoint contents(ReadOptions options) {
      if (!weights.isTorch()) {
        Checkpoint read = SafetensorsFolder.read(place.stores(), weights, options);
        weights.lone().ifPresent(file -> RankName.requireOnly(place.stores(), file));
        return read;
      }
      boolean single = weights.count() == 1 && weights.indexes().isEmpty();
      return single
          ? StateDictFile.read(place, weights.shards().get(0), options)
          : TorchFolder.read(place.stores(), weights, options);
    }

    @Override
    public long storedTensors() {
      return WeightsCheck.of(place.stores(), weights).stored();
    }
  }

  private record Pipeline(Place place) implements Contents {
    @Override
    public String name() {
      return PIPELINE;
    }

    @Override
    public Location address() {
      return place.address();
    }

    @Override
    public boolean isLoadable() {
      return true;
    }

    @Override
    public List<InputFile> files(Optional<String> wanted) {
      return List.of();
    }

    @Override
    public Checkpoint read(ReadOptions options) {
      List<String> components = new ArrayList<>();
      for (Location folder : place.listing().folders()) {
        List<InputFile> files = place.stores().list(folder).files();
        if (!WeightFiles.among(place.stores(), files).isEmpty()) {
          components.add(folder.name());
        }
      }
      throw HuggingFaceFailures.pipeline(components, place.address().uri());
    }
  }
}
