package dev.reweave.checkpoint.huggingface;

import dev.reweave.common.ReweaveException;
import dev.reweave.format.safetensors.SafetensorsIndex;
import dev.reweave.storage.InputFile;
import dev.reweave.storage.Stores;
import dev.reweave.tensor.NamedTensor;
import dev.reweave.tensor.TensorSpec;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/** Compares index, files and headers of one model's weights, each with the others. */
public final class WeightsCheck {
  private final WeightFiles weights;
  private final List<ShardContent> contents = new ArrayList<>();
  private final List<ReweaveException> unreadable = new ArrayList<>();
  private final List<ReweaveException> disagreements = new ArrayList<>();
  private final Map<String, TensorSpec> tensors = new LinkedHashMap<>();
  private final Map<String, String> places = new HashMap<>();
  private final Set<String> absent = new TreeSet<>();
  private final Set<String> twice = new TreeSet<>();
  private final List<ReweaveException> harmless = new ArrayList<>();
  private final List<String> surplus = new ArrayList<>();
  private Optional<SafetensorsIndex> index = Optional.empty();
  private Optional<Slices> slices = Optional.empty();
  private long bytes;

  private WeightsCheck(WeightFiles weights) {
    this.weights = weights;
  }

  /** Reads the structure of these files, without their weights, and compares. */
  public static WeightsCheck of(Stores stores, WeightFiles weights) {
    WeightsCheck check = new WeightsCheck(weights);
    for (ShardContent.Attempt attempt : ShardContent.readAll(stores, weights)) {
      attempt.content().ifPresent(check::add);
      attempt
          .failure()
          .ifPresent(
              e -> {
                check.absent.add(attempt.file().name());
                check.unreadable.add(e);
              });
    }
    if (weights.isSliced()) {
      check.joinSlices();
    } else {
      check.checkIndex(stores);
    }
    return check;
  }

  /** All for which they are not converted; nothing if they are. */
  public List<ReweaveException> problems() {
    List<ReweaveException> all = new ArrayList<>(unreadable);
    all.addAll(disagreements);
    return all;
  }

  /** What is wrong and does a conversion no harm. */
  public List<ReweaveException> warnings() {
    return Collections.unmodifiableList(harmless);
  }

  /** What is wrong with files by themselves. */
  public List<ReweaveException> unreadable() {
    return Collections.unmodifiableList(unreadable);
  }

  /** Where index, files and headers say different things, harmless or not. */
  public List<ReweaveException> disagreements() {
    List<ReweaveException> all = new ArrayList<>(disagreements);
    all.addAll(harmless);
    return all;
  }

  /** The tensors of all files that could be read, by name. */
  public Map<String, TensorSpec> tensors() {
    return Collections.unmodifiableMap(tensors);
  }

  /** What the files that could be read hold, in their order. */
  List<ShardContent> contents() {
    return contents;
  }

  /** The whole tensors of slices, if that is what the files hold. */
  Optional<Slices> slices() {
    return slices;
  }

  /** How many tensors the files hold that could be read; of slices, how many slices. */
  long stored() {
    return contents.stream().mapToLong(c -> c.tensors().size() + c.aliases().size()).sum();
  }

  /** The index, if there is one that can be read. */
  Optional<SafetensorsIndex> index() {
    return index;
  }

  /**
   * Refuses weights that are not whole and of one model.
   *
   * @return what is wrong but does no harm
   * @throws ReweaveException for the first problem
   */
  List<String> requireWhole() {
    List<ReweaveException> harmful = new ArrayList<>(unreadable);
    harmful.addAll(disagreements);
    if (harmful.size() == 1) {
      throw harmful.get(0);
    }
    if (!harmful.isEmpty()) {
      ReweaveException first = harmful.get(0);
      throw new ReweaveException(
          first.kind(),
          first.problem()
              + (harmful.size() == 2
                  ? ", and one more problem, which 'reweave doctor' tells"
                  : ", and "
                      + (harmful.size() - 1)
                      + " more problems, which 'reweave doctor' tells"),
          first.place(),
          first.remedy(),
          first);
    }
    return harmless.stream().map(ReweaveException::problem).toList();
  }

  private void add(ShardContent content) {
    contents.add(content);
    if (weights.isSliced()) {
      return;
    }
    Slices.refusalOf(content).ifPresent(disagreements::add);
    content.tensors().stream().map(NamedTensor::spec).forEach(spec -> add(content.file(), spec));
    content.aliases().forEach((alias, kept) -> places.putIfAbsent(alias, content.file().name()));
  }

  private void add(InputFile shard, TensorSpec spec) {
    bytes += spec.bytes();
    tensors.put(spec.name(), spec);
    String other = places.put(spec.name(), shard.name());
    if (other != null) {
      twice.add(spec.name());
      disagreements.add(HuggingFaceFailures.twice(spec.name(), other, shard.name(), shard.uri()));
    }
  }

  private void joinSlices() {
    if (!unreadable.isEmpty()) {
      return;
    }
    try {
      slices = Optional.of(Slices.of(weights, contents));
      slices.get().tensors().forEach(t -> tensors.put(t.name(), t.spec()));
    } catch (ReweaveException e) {
      disagreements.add(e);
    }
  }

  private void checkIndex(Stores stores) {
    if (weights.indexes().isEmpty()) {
      if (weights.lacksIndex()) {
        checkNumbers();
      }
      return;
    }
    InputFile file = weights.indexes().get(0);
    try {
      index =
          Optional.of(
              SafetensorsIndex.parse(
                  stores.readAll(file, WeightGroups.MOST_INDEX_BYTES), file.uri()));
    } catch (ReweaveException e) {
      unreadable.add(e);
      return;
    }
    compare(file, index.get());
  }

  /** Without an index the names say how many shards there are, and the headers what they hold. */
  private void checkNumbers() {
    List<String> missing = weights.missing();
    if (missing.isEmpty()) {
      harmless.add(HuggingFaceFailures.noIndex(weights.count(), weights.shards().get(0).uri()));
      return;
    }
    disagreements.add(
        HuggingFaceFailures.missingShards(weights.count(), missing, weights.shards().get(0).uri()));
  }

  private void compare(InputFile file, SafetensorsIndex index) {
    checkShards(file, index);
    index.weightMap().forEach((name, shard) -> checkPlace(file, name, shard));
    places.forEach(
        (name, shard) -> {
          if (!index.weightMap().containsKey(name)) {
            surplus.add(name);
          }
        });
    if (!surplus.isEmpty()) {
      // Libraries load shards whole: the weight map of the index decides which files are opened.
      Collections.sort(surplus);
      harmless.add(HuggingFaceFailures.notInIndex(file.name(), surplus, places, file.uri()));
    }
    if (absent.isEmpty()
        && index.totalSize().isPresent()
        && index.totalSize().getAsLong() != bytes) {
      harmless.add(
          HuggingFaceFailures.otherSize(
              file.name(), index.totalSize().getAsLong(), bytes, file.uri()));
    }
  }

  /** One problem for a shard that is missing, not one for each of its tensors. */
  private void checkShards(InputFile file, SafetensorsIndex index) {
    Set<String> present = new TreeSet<>();
    weights.shards().forEach(s -> present.add(s.name()));
    Map<String, List<String>> missing = new LinkedHashMap<>();
    index
        .weightMap()
        .forEach(
            (name, shard) -> {
              if (!present.contains(shard)) {
                missing.computeIfAbsent(shard, s -> new ArrayList<>()).add(name);
              }
            });
    missing.forEach(
        (shard, names) -> {
          disagreements.add(
              HuggingFaceFailures.missingShard(file.name(), shard, names, file.uri()));
          absent.add(shard);
        });
  }

  private void checkPlace(InputFile file, String name, String shard) {
    if (!shard.equals(places.get(name)) && !absent.contains(shard) && !twice.contains(name)) {
      disagreements.add(
          HuggingFaceFailures.elsewhere(
              file.name(), name, shard, Optional.ofNullable(places.get(name)), file.uri()));
    }
  }
}
