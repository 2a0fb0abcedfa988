package dev.reweave.checkpoint.huggingface;

import dev.reweave.checkpoint.TrainingState;
import dev.reweave.storage.InputFile;
import dev.reweave.storage.Stores;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The files of one model's weights in one folder: an index and the shards that it names; shards
 * without an index, whose names differ in their number alone; the slices that ranks saved; or one
 * file.
 *
 * @param stem what the names have in common, with the variant: {@code model.fp16}
 * @param suffix {@code .safetensors}, or {@code .bin} and others of torch files
 * @param shards by name
 * @param indexes one at most
 */
public record WeightFiles(
    String stem, String suffix, List<InputFile> shards, List<InputFile> indexes) {
  static final String SAFETENSORS = ".safetensors";

  /** What a file is called that holds a state dict as {@code torch.save} writes it. */
  private static final Pattern TORCH_NAME =
      Pattern.compile("(diffusion_)?pytorch_model([-.].*|_\\d{1,9})?\\.bin");

  public WeightFiles {
    shards = List.copyOf(shards);
    indexes = List.copyOf(indexes);
  }

  /** Whether a file of this name holds weights that loaders look for, or one shard of a model. */
  public static boolean isWeights(String name) {
    return name.endsWith(SAFETENSORS)
        || TORCH_NAME.matcher(name).matches()
        || ShardName.of(name).filter(s -> !TrainingState.isStateName(s.stem())).isPresent();
  }

  /** The weights among the files of one folder: those with an index first, then by name. */
  public static List<WeightFiles> among(Stores stores, List<InputFile> files) {
    return new WeightGroups(stores, files).all();
  }

  /** One file, without its index if there is one. */
  static WeightFiles of(InputFile file) {
    String name = file.name();
    int dot = name.lastIndexOf('.');
    return new WeightFiles(name.substring(0, dot), name.substring(dot), List.of(file), List.of());
  }

  /** The index, if there is one, and all shards. */
  public List<InputFile> files() {
    return Stream.concat(indexes.stream(), shards.stream()).toList();
  }

  /** Whether they are what {@code torch.save} writes. */
  public boolean isTorch() {
    return !suffix.equals(SAFETENSORS);
  }

  /** Whether the names say that these are other weights of the model: {@code model.fp16}. */
  public boolean hasVariant() {
    return stem.indexOf('.') >= 0;
  }

  /** Whether they are slices of tensors, each file of one rank. */
  public boolean isSliced() {
    return indexes.isEmpty()
        && shards.stream().findFirst().flatMap(s -> SliceName.of(s.name())).isPresent();
  }

  /** Whether they are shards, and there is no index that names them. */
  boolean lacksIndex() {
    return shardName().isPresent();
  }

  /** Whether naming one file gives them all: their index, or the file that they are. */
  public boolean isNamedByOneFile() {
    return !indexes.isEmpty() || !(isSliced() || count() > 1);
  }

  /** The one file that they are; empty of several, and of one that an index names. */
  Optional<InputFile> lone() {
    return indexes.isEmpty() && count() == 1 ? shards.stream().findFirst() : Optional.empty();
  }

  /** How many shards there are, as their names say; of others, how many files. */
  int count() {
    return shardName().map(ShardName::count).orElse(shards.size());
  }

  /** The names of shards without an index that are not there. */
  List<String> missing() {
    Optional<ShardName> first = shardName();
    if (first.isEmpty()) {
      return List.of();
    }
    Set<Integer> numbers =
        shards.stream()
            .flatMap(s -> ShardName.of(s.name()).stream())
            .map(ShardName::number)
            .collect(Collectors.toCollection(TreeSet::new));
    int from = numbers.contains(0) ? 0 : 1;
    List<String> missing = new ArrayList<>();
    for (int i = from; i < first.get().count() + from; i++) {
      if (!numbers.contains(i)) {
        missing.add(first.get().other(i));
      }
    }
    return missing;
  }

  /** The file by which they are found: the index, or the first of them. */
  InputFile entry() {
    return indexes.isEmpty() ? shards.get(0) : indexes.get(0);
  }

  /** What they are called: by the file by which they are found. */
  String name() {
    int others = indexes.isEmpty() ? shards.size() - 1 : 0;
    return entry().name() + (others == 0 ? "" : " and " + others + " more");
  }

  private Optional<ShardName> shardName() {
    return indexes.isEmpty() && !isSliced()
        ? shards.stream().findFirst().flatMap(s -> ShardName.of(s.name()))
        : Optional.empty();
  }
}
