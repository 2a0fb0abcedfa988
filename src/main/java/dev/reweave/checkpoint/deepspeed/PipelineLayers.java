package dev.reweave.checkpoint.deepspeed;

import dev.reweave.checkpoint.ReadOptions.Frozen;
import dev.reweave.checkpoint.StoredCopies;
import dev.reweave.tensor.NamedTensor;
import dev.reweave.tensor.Shape;
import dev.reweave.tensor.StorageRef;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.IntStream;

/**
 * The layer files of a pipeline, under the names that {@code PipelineModule} gives to parameters:
 * {@code 3.weight}, and {@code tied_modules.KEY.weight} for a layer that stands in it several
 * times, which has a file for each time.
 */
final class PipelineLayers {
  private final String folder;
  private final List<LayerFile> files;
  private final List<PlainStates> states;

  /**
   * @param files by layer and tensor rank
   * @param states what they hold
   */
  PipelineLayers(String folder, List<LayerFile> files, List<PlainStates> states) {
    this.folder = folder;
    this.files = files;
    this.states = states;
  }

  boolean isEmpty() {
    return files.isEmpty();
  }

  /** Number of tensor-parallel ranks that the names of files tell. */
  static int tensorRanks(List<LayerFile> files) {
    return files.stream().mapToInt(LayerFile::tensorRank).max().orElse(0) + 1;
  }

  /** Requires a file of every tensor-parallel rank for each layer. */
  static void requireAll(List<LayerFile> files) {
    int ranks = tensorRanks(files);
    Map<Integer, Set<Integer>> byLayer = new HashMap<>();
    files.forEach(
        f -> byLayer.computeIfAbsent(f.layer(), l -> new TreeSet<>()).add(f.tensorRank()));
    MissingFiles missing = new MissingFiles();
    for (LayerFile file : files) {
      // Once for each layer.
      Set<Integer> there = byLayer.remove(file.layer());
      if (there != null) {
        missing.addNumbered(
            "layer " + file.layer() + " of tensor-parallel rank",
            there,
            ranks,
            ranks + " tensor-parallel ranks",
            rank -> List.of(file.addressOfRank(rank)));
      }
    }
    missing.requireNone();
  }

  /** The files of one tensor-parallel rank. */
  private IntStream of(int tensorRank) {
    return IntStream.range(0, files.size()).filter(i -> files.get(i).tensorRank() == tensorRank);
  }

  /**
   * The module's own weights.
   *
   * @param trained parameters of all stages; empty where the checkpoint does not list them
   */
  StateDict module(int tensorRank, Map<String, Shape> trained, Set<String> buffers, Frozen frozen) {
    if (frozen == Frozen.EXCLUDE && trained.isEmpty()) {
      throw ModuleFailures.frozenNotTold(folder);
    }
    StateDict dict = new StateDict();
    Map<List<Object>, String> seen = new HashMap<>();
    int excluded = 0;
    for (int i : of(tensorRank).toArray()) {
      LayerNames names = LayerNames.of(files.get(i).layer(), states.get(i).tensors(), trained);
      if (!names.isClear()) {
        throw ModuleFailures.unclearLayer(names.prefixes(), files.get(i).file().uri());
      }
      String twin = trained.isEmpty() ? twin(seen, states.get(i), names.of("")) : "";
      for (NamedTensor tensor : states.get(i).tensors()) {
        String name = names.of(tensor.name());
        if (!twin.isEmpty()) {
          dict.tie(name, twin + tensor.name());
        } else if (frozen == Frozen.EXCLUDE
            && !trained.containsKey(name)
            && !buffers.contains(name)) {
          excluded++;
        } else if (!dict.has(name)) {
          dict.add(tensor.renamed(name));
        }
      }
      if (!twin.isEmpty()) {
        dict.note(
            "layer "
                + files.get(i).layer()
                + " holds the same weights as "
                + twin.substring(0, twin.length() - 1)
                + ", as a tied layer does: taken once");
      }
    }
    if (excluded > 0) {
      dict.note(excluded + " frozen parameters left out");
    }
    requireTrained(dict, trained);
    return dict;
  }

  /** Where an earlier layer has the same weights, checksums tell, its prefix; else empty. */
  private static String twin(Map<List<Object>, String> seen, PlainStates layer, String prefix) {
    List<Object> content = new ArrayList<>();
    boolean matrices = false;
    for (NamedTensor tensor : layer.tensors()) {
      Optional<StorageRef> storage = StoredCopies.only(tensor);
      if (storage.isEmpty()) {
        return "";
      }
      content.add(tensor.spec());
      content.add(storage.get().crc32());
      matrices |= tensor.spec().shape().rank() > 1;
    }
    // Norms of different layers can well be the same.
    String earlier = matrices ? seen.putIfAbsent(content, prefix) : null;
    return earlier == null ? "" : earlier;
  }

  private void requireTrained(StateDict dict, Map<String, Shape> trained) {
    List<String> missing = trained.keySet().stream().filter(n -> !dict.has(n)).toList();
    if (!missing.isEmpty()) {
      throw ModuleFailures.inNoLayer(missing, folder);
    }
  }

  /** Adds buffers and frozen parameters, which have no masters, in the order of the layers. */
  StateDict around(StateDict masters, int tensorRank, Set<String> buffers, Frozen frozen) {
    Map<String, Shape> trained = new HashMap<>();
    masters.tensors().forEach(t -> trained.put(t.name(), t.spec().shape()));
    StateDict dict = new StateDict();
    int untrained = 0;
    for (int i : of(tensorRank).toArray()) {
      LayerNames names = LayerNames.of(files.get(i).layer(), states.get(i).tensors(), trained);
      for (NamedTensor tensor : states.get(i).tensors()) {
        String name = names.of(tensor.name());
        boolean ofMasters = !names.isClear() && masters.hasTensor(name);
        if (ofMasters || dict.has(name) || masters.aliases().containsKey(name)) {
          continue;
        }
        if (masters.hasTensor(name)) {
          dict.add(masters.tensor(name));
        } else if (buffers.contains(name)) {
          dict.add(tensor.renamed(name));
        } else {
          untrained++;
          if (frozen == Frozen.INCLUDE) {
            dict.add(tensor.renamed(name));
          }
        }
      }
    }
    if (untrained > 0) {
      dict.note(
          untrained
              + (frozen == Frozen.EXCLUDE
                  ? " frozen parameters left out"
                  : " frozen parameters have no fp32 master: taken as stored"));
    }
    dict.addAll(masters);
    return dict;
  }
}
