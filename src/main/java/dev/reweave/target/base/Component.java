package dev.reweave.target.base;

import dev.reweave.common.Location;
import dev.reweave.tensor.DType;
import dev.reweave.tensor.TensorSpec;
import java.util.Collections;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/**
 * One model of a base, as the headers of its weight files describe it.
 *
 * @param folder in the base, such as {@code transformer}; empty if the base is the model
 * @param address of the folder
 * @param names how its weight files are called
 * @param tensors by name, sorted
 * @param shards by tensor, the name of the file that holds it
 * @param droppedNames tied tensors that were left out, each with the name of the one that stands
 *     for it
 * @param index name of the index file, if there is one
 * @param notes what the user should know of the choice
 */
public record Component(
    String folder,
    Location address,
    WeightNames names,
    Map<String, TensorSpec> tensors,
    Map<String, String> shards,
    Map<String, String> droppedNames,
    Optional<String> index,
    List<String> notes) {

  public Component {
    if (!tensors.keySet().equals(shards.keySet())) {
      throw new IllegalArgumentException("tensors and their shards differ in " + address);
    }
    tensors = Collections.unmodifiableMap(tensors);
    shards = Collections.unmodifiableMap(shards);
    droppedNames = Map.copyOf(droppedNames);
    notes = List.copyOf(notes);
  }

  /** The path in the base of a file beside the weights. */
  public String path(String fileName) {
    return BaseFolder.prefix(folder) + fileName;
  }

  /** Whether there are weights that say how tensors are called and shaped. */
  public boolean hasWeights() {
    return !tensors.isEmpty();
  }

  /** The shards' file names, sorted. */
  public List<String> files() {
    return shards.values().stream().distinct().sorted().toList();
  }

  /** Names of its tensors, with those of tied ones that were left out. */
  public Set<String> tensorNames() {
    Set<String> all = new HashSet<>(tensors.keySet());
    all.addAll(droppedNames.keySet());
    return Collections.unmodifiableSet(all);
  }

  /** The element type of most of its bytes that a cast could change; empty if it has none. */
  public Optional<DType> dtype() {
    Map<DType, Long> bytes = new EnumMap<>(DType.class);
    for (TensorSpec tensor : tensors.values()) {
      if (tensor.dtype().isCastable()) {
        bytes.merge(tensor.dtype(), tensor.bytes(), Long::sum);
      }
    }
    return bytes.entrySet().stream().max(Map.Entry.comparingByValue()).map(Map.Entry::getKey);
  }

  /** The same, as if these tensors were not among its own. */
  public Component without(Set<String> names) {
    Map<String, TensorSpec> others = new TreeMap<>(tensors);
    others.keySet().removeAll(names);
    Map<String, String> theirs = new TreeMap<>(shards);
    theirs.keySet().removeAll(names);
    Map<String, String> dropped = new TreeMap<>(droppedNames);
    dropped.keySet().removeAll(names);
    return new Component(folder, address, this.names, others, theirs, dropped, index, notes);
  }

  Component withNote(String note) {
    return new Component(
        folder, address, names, tensors, shards, droppedNames, index, List.of(note));
  }
}
