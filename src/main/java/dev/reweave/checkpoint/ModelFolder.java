package dev.reweave.checkpoint;

import dev.reweave.ReweaveException;
import dev.reweave.storage.InputFile;
import dev.reweave.storage.Stores;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/** A folder that libraries load models from: one model's weights are chosen, and read. */
final class ModelFolder {
  private static final String PIPELINE = "model_index.json";

  private final Stores stores;
  private final MetadataScanner scanner;
  private final ReadOptions options;

  ModelFolder(Stores stores, MetadataScanner scanner, ReadOptions options) {
    this.stores = stores;
    this.scanner = scanner;
    this.options = options;
  }

  /** Reads one file of weights, or the model of an index. */
  Checkpoint read(InputFile file) {
    if (file.name().endsWith(WeightFiles.SAFETENSORS)) {
      return read(WeightFiles.of(file));
    }
    if (WeightFiles.isIndex(file.name())) {
      String uri = file.uri();
      return WeightFiles.among(stores.list(uri.substring(0, uri.lastIndexOf('/'))).files()).stream()
          .filter(weights -> weights.indexes().stream().anyMatch(i -> i.uri().equals(uri)))
          .map(this::read)
          .findFirst()
          .orElseThrow();
    }
    return StateDictFile.read(scanner, file, options);
  }

  /**
   * Reads the model in a folder; empty if it holds none under the names that libraries look for.
   *
   * @param root what the folder holds
   * @throws ReweaveException if it holds several, or what it holds is not whole
   */
  Optional<Checkpoint> read(String address, Stores.Listing root) {
    if (root.files().stream().anyMatch(f -> f.name().equals(PIPELINE))) {
      throw pipeline(address, root);
    }
    List<WeightFiles> all = WeightFiles.among(root.files());
    return readOne(address, all, weights -> !weights.isTorch())
        .or(() -> readOne(address, all, WeightFiles::isTorch));
  }

  private Optional<Checkpoint> readOne(
      String address, List<WeightFiles> all, Predicate<WeightFiles> kind) {
    List<WeightFiles> sets = all.stream().filter(kind).toList();
    List<WeightFiles> plain = sets.stream().filter(set -> !set.hasVariant()).toList();
    if (sets.isEmpty()) {
      return Optional.empty();
    }
    if (sets.size() > 1 && plain.size() != 1) {
      throw ReweaveException.usage(
          "the folder holds the weights of several models: " + names(sets),
          address,
          "name the file or the index of the one that is meant");
    }
    if (sets.size() == 1) {
      return Optional.of(read(sets.get(0)));
    }
    Checkpoint checkpoint = read(plain.get(0));
    List<String> notes = new ArrayList<>(checkpoint.notes());
    List<WeightFiles> others = sets.stream().filter(WeightFiles::hasVariant).toList();
    notes.add("other weights in the folder are left out: " + names(others));
    return Optional.of(
        new Checkpoint(
            checkpoint.source(),
            checkpoint.files(),
            checkpoint.tensors(),
            checkpoint.aliases(),
            notes,
            checkpoint.cautions(),
            checkpoint.clientState()));
  }

  private Checkpoint read(WeightFiles weights) {
    if (weights.shards().isEmpty()) {
      InputFile index = weights.indexes().get(0);
      throw new ReweaveException(
          "an index, but none of its shards",
          index.uri(),
          "copy the shards from where the index is from");
    }
    if (!weights.isTorch()) {
      return SafetensorsFolder.read(stores, weights, options);
    }
    boolean single = weights.shards().size() == 1 && weights.indexes().isEmpty();
    return single
        ? StateDictFile.read(scanner, weights.shards().get(0), options)
        : TorchFolder.read(stores, weights, options);
  }

  private static String names(List<WeightFiles> sets) {
    return sets.stream().map(s -> s.stem() + s.suffix()).collect(Collectors.joining(", "));
  }

  private ReweaveException pipeline(String address, Stores.Listing root) {
    List<String> components = new ArrayList<>();
    for (String folder : root.folders()) {
      if (!WeightFiles.among(stores.list(folder).files()).isEmpty()) {
        components.add(folder.substring(folder.lastIndexOf('/') + 1));
      }
    }
    return ReweaveException.usage(
        "this is a pipeline of several models",
        address,
        "name the folder of the one that is meant: " + String.join(", ", components));
  }
}
