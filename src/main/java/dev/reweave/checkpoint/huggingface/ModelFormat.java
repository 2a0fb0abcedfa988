package dev.reweave.checkpoint.huggingface;

import dev.reweave.ReweaveException;
import dev.reweave.checkpoint.Checkpoint;
import dev.reweave.checkpoint.CheckpointFormat;
import dev.reweave.checkpoint.Contents;
import dev.reweave.checkpoint.Place;
import dev.reweave.checkpoint.ReadOptions;
import dev.reweave.checkpoint.StateDictFile;
import dev.reweave.storage.InputFile;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** What libraries load models from: safetensors and {@code pytorch_model.bin}, with an index. */
public final class ModelFormat implements CheckpointFormat {
  private static final String PIPELINE = "model_index.json";

  @Override
  public List<Contents> in(Place place) {
    if (place.file().isPresent()) {
      return named(place, place.file().get()).stream().toList();
    }
    if (place.listing().files().stream().anyMatch(f -> f.name().equals(PIPELINE))) {
      return List.of(new Pipeline(place));
    }
    return WeightFiles.among(place.listing().files()).stream()
        .map(weights -> (Contents) new Model(place, weights))
        .toList();
  }

  /** The model of one file of weights, or of an index; empty for other files. */
  private static Optional<Contents> named(Place place, InputFile file) {
    if (file.name().endsWith(WeightFiles.SAFETENSORS)) {
      return Optional.of(new Model(place, WeightFiles.of(file)));
    }
    if (!WeightFiles.isIndex(file.name())) {
      return Optional.empty();
    }
    return WeightFiles.among(place.stores().list(file.folder()).files()).stream()
        .filter(weights -> weights.indexes().stream().anyMatch(i -> i.uri().equals(file.uri())))
        .map(weights -> (Contents) new Model(place, weights))
        .findFirst();
  }

  private record Model(Place place, WeightFiles weights) implements Contents {
    @Override
    public String name() {
      return entry().name();
    }

    @Override
    public String address() {
      return entry().uri();
    }

    private InputFile entry() {
      return weights.indexes().isEmpty() ? weights.shards().get(0) : weights.indexes().get(0);
    }

    @Override
    public int precedence() {
      return (weights.isTorch() ? 2 : 0) + (weights.hasVariant() ? 1 : 0);
    }

    @Override
    public boolean isLoadable() {
      return true;
    }

    @Override
    public List<InputFile> files(Optional<String> wanted) {
      List<InputFile> files = new ArrayList<>(weights.indexes());
      files.addAll(weights.shards());
      return files;
    }

    @Override
    public Checkpoint read(ReadOptions options) {
      if (weights.shards().isEmpty()) {
        throw new ReweaveException(
            "an index, but none of its shards",
            entry().uri(),
            "copy the shards from where the index is from");
      }
      if (!weights.isTorch()) {
        return SafetensorsFolder.read(place.stores(), weights, options);
      }
      boolean single = weights.shards().size() == 1 && weights.indexes().isEmpty();
      return single
          ? StateDictFile.read(place, weights.shards().get(0), options)
          : TorchFolder.read(place.stores(), weights, options);
    }
  }

  private record Pipeline(Place place) implements Contents {
    @Override
    public String name() {
      return PIPELINE;
    }

    @Override
    public String address() {
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
      for (String folder : place.listing().folders()) {
        if (!WeightFiles.among(place.stores().list(folder).files()).isEmpty()) {
          components.add(folder.substring(folder.lastIndexOf('/') + 1));
        }
      }
      throw ReweaveException.usage(
          "this is a pipeline of several models",
          place.address(),
          "name the folder of the one that is meant: " + String.join(", ", components));
    }
  }
}
