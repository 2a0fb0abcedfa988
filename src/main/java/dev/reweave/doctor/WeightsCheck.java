package dev.reweave.doctor;

import dev.reweave.ReweaveException;
import dev.reweave.checkpoint.StateDictFile;
import dev.reweave.pytorch.TorchFile;
import dev.reweave.safetensors.SafetensorsHeader;
import dev.reweave.safetensors.SafetensorsIndex;
import dev.reweave.storage.InputFile;
import dev.reweave.storage.RandomAccess;
import dev.reweave.storage.Stores;
import dev.reweave.tensor.NamedTensor;
import dev.reweave.tensor.TensorSpec;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/** Compares index, files and headers of one model's weights, each with the others. */
public final class WeightsCheck {
  private static final int MOST_JSON_BYTES = 256 << 20;
  private static final int MOST_NAMES = 10;
  private static final String NOT_TOGETHER =
      "index and shards are not of one model: copy them again from one source, or convert again";

  private final Stores stores;
  private final WeightFiles weights;
  private final List<String> problems = new ArrayList<>();
  private final List<Finding> findings = new ArrayList<>();
  private final Map<String, TensorSpec> tensors = new LinkedHashMap<>();
  private final Map<String, String> places = new HashMap<>();
  private final Set<String> unreadable = new TreeSet<>();
  private long bytes;

  /** A check of these files. */
  public WeightsCheck(Stores stores, WeightFiles weights) {
    this.stores = stores;
    this.weights = weights;
  }

  /** What is wrong with them; nothing if nothing is. */
  public List<String> run() {
    for (InputFile shard : weights.shards()) {
      try (RandomAccess access = stores.open(shard)) {
        if (weights.isTorch()) {
          addTorch(shard, access);
        } else {
          SafetensorsHeader.read(access).entries().forEach(e -> add(shard, e.spec()));
        }
      } catch (ReweaveException e) {
        unreadable.add(shard.name());
        report(e);
      } catch (IOException e) {
        unreadable.add(shard.name());
        report(Stores.unreadable(shard.uri(), e));
      }
    }
    checkIndex();
    return problems;
  }

  /** What {@link #run} found, each with what to do about it. */
  List<Finding> findings() {
    return List.copyOf(findings);
  }

  private void report(ReweaveException e) {
    problems.add(e.getMessage());
    findings.add(Finding.of(e));
  }

  private void report(String problem, InputFile place, String remedy) {
    problems.add(problem);
    findings.add(new Finding(Severity.PROBLEM, problem, place.uri(), remedy));
  }

  /** The tensors of all files that could be read, by name. */
  public Map<String, TensorSpec> tensors() {
    return tensors;
  }

  private void addTorch(InputFile shard, RandomAccess access) throws IOException {
    StateDictFile.Content content = StateDictFile.stateDict(TorchFile.read(access, 0));
    content.tensors().stream().map(NamedTensor::spec).forEach(spec -> add(shard, spec));
    content.aliases().forEach((alias, kept) -> places.putIfAbsent(alias, shard.name()));
  }

  private void add(InputFile shard, TensorSpec spec) {
    bytes += spec.bytes();
    tensors.put(spec.name(), spec);
    String other = places.put(spec.name(), shard.name());
    if (other != null) {
      report(
          "tensor " + spec.name() + " is in " + other + " and " + shard.name(),
          shard,
          "move the files of the other model away");
    }
  }

  private void checkIndex() {
    if (weights.indexes().isEmpty()) {
      if (weights.shards().size() > 1) {
        report(
            weights.shards().size() + " shards, but no index",
            weights.shards().get(0),
            "copy the index from where the shards are from; no library finds them without it");
      }
      return;
    }
    InputFile file = weights.indexes().get(0);
    SafetensorsIndex index;
    try {
      index = SafetensorsIndex.parse(stores.readAll(file, MOST_JSON_BYTES), file.uri());
    } catch (ReweaveException e) {
      report(e);
      return;
    }
    checkShards(file, index);
    index.weightMap().forEach((name, shard) -> checkPlace(file, name, shard));
    places.forEach(
        (name, shard) -> {
          if (!index.weightMap().containsKey(name)) {
            report(
                file.name() + " does not name " + name + ", which is in " + shard,
                file,
                NOT_TOGETHER);
          }
        });
    boolean whole = unreadable.isEmpty();
    if (whole && index.totalSize().isPresent() && index.totalSize().getAsLong() != bytes) {
      report(
          file.name()
              + " says total_size "
              + index.totalSize().getAsLong()
              + ": tensors have "
              + bytes
              + " bytes",
          file,
          NOT_TOGETHER);
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
          String some = String.join(", ", names.subList(0, Math.min(MOST_NAMES, names.size())));
          String more = names.size() > MOST_NAMES ? ", …" : "";
          report(
              file.name()
                  + " names "
                  + shard
                  + ", which is not there, for "
                  + names.size()
                  + (names.size() == 1 ? " tensor: " : " tensors: ")
                  + some
                  + more,
              file,
              "copy the shard from where the others are from, or convert again");
          unreadable.add(shard);
        });
  }

  private void checkPlace(InputFile file, String name, String shard) {
    if (!shard.equals(places.get(name)) && !unreadable.contains(shard)) {
      report(
          file.name()
              + " says that "
              + name
              + " is in "
              + shard
              + ": it is "
              + (places.containsKey(name) ? "in " + places.get(name) : "in no shard"),
          file,
          NOT_TOGETHER);
    }
  }
}
