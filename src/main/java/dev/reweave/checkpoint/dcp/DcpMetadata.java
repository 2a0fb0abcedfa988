package dev.reweave.checkpoint.dcp;

import dev.reweave.common.ReweaveException;
import dev.reweave.format.pytorch.TorchValue;
import dev.reweave.storage.InputFile;
import dev.reweave.tensor.DType;
import dev.reweave.tensor.Shape;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * The {@code Metadata} object of a distributed checkpoint, as {@code
 * torch/distributed/checkpoint/metadata.py} and {@code filesystem.py} define it.
 */
final class DcpMetadata {
  private final TorchValue root;
  private final Map<String, InputFile> files;
  private final Map<String, TorchValue> tensors = new LinkedHashMap<>();
  private int others;

  /**
   * @param files all files beside it, by name
   * @throws ReweaveException if it is no such object
   */
  DcpMetadata(TorchValue root, Map<String, InputFile> files) {
    this.root = root;
    this.files = files;
    for (Map.Entry<String, TorchValue> entry : attribute(root, "state_dict_metadata").entries()) {
      if (entry.getValue().attribute("size").isPresent()
          || entry.getValue().attribute("chunks").isPresent()) {
        tensors.put(entry.getKey(), entry.getValue());
      } else {
        others++;
      }
    }
  }

  /** Names of all tensors, in the order of the state dict. */
  List<String> names() {
    return List.copyOf(tensors.keySet());
  }

  /** Of the format; empty where torch wrote none. */
  String version() {
    return root.attribute("version").filter(TorchValue::isText).map(TorchValue::text).orElse("");
  }

  /** Number of entries that are no tensors. */
  int others() {
    return others;
  }

  /** Keys of the dicts that lead to a tensor, its own last. */
  List<String> path(String name) {
    // The planner that flattens nested dicts keeps the way back; without it nothing is nested.
    Optional<TorchValue> path =
        root.attribute("planner_data")
            .flatMap(data -> data.find(name))
            .filter(TorchValue::isSequence);
    if (path.isEmpty() || path.get().items().isEmpty()) {
      return List.of(name);
    }
    List<String> keys =
        path.get().items().stream()
            .map(key -> key.isText() ? key.text() : String.valueOf(key.integer()))
            .toList();
    return String.join(".", keys).equals(name) ? keys : List.of(name);
  }

  /** The type of a tensor. */
  DType dtype(String name) {
    return dtype(attribute(tensors.get(name), "properties"));
  }

  /** The shape of a tensor. */
  Shape shape(String name) {
    return attribute(tensors.get(name), "size").shape();
  }

  /**
   * Tensors with all of their chunks.
   *
   * @throws ReweaveException if a chunk has no place in a file, or the file is not there
   */
  List<DcpTensor> tensors(List<String> names) {
    Map<String, Map<List<Long>, TorchValue>> places = places(new HashSet<>(names));
    return names.stream().map(name -> tensor(name, places.getOrDefault(name, Map.of()))).toList();
  }

  /** The names of all files in which something is. */
  Set<String> filesNamed() {
    Set<String> named = new HashSet<>();
    for (Map.Entry<TorchValue, TorchValue> pair : attribute(root, "storage_data").pairs()) {
      named.add(attribute(pair.getValue(), "relative_path").text());
    }
    return named;
  }

  /**
   * A pickle among the chunks: what was saved and is no tensor.
   *
   * @param start first byte in the file
   * @param length in bytes
   */
  record StoredObject(InputFile file, long start, long length) {}

  /**
   * The first object whose name starts like this.
   *
   * @return nothing if there is none, or its file is not there or ends before it
   */
  Optional<StoredObject> object(String prefix) {
    for (Map.Entry<TorchValue, TorchValue> pair : attribute(root, "storage_data").pairs()) {
      String name = attribute(pair.getKey(), "fqn").text();
      if (name.startsWith(prefix) && !tensors.containsKey(name)) {
        InputFile file = files.get(attribute(pair.getValue(), "relative_path").text());
        long start = attribute(pair.getValue(), "offset").integer();
        long length = attribute(pair.getValue(), "length").integer();
        return file == null || start < 0 || length < 0 || start > file.length() - length
            ? Optional.empty()
            : Optional.of(new StoredObject(file, start, length));
      }
    }
    return Optional.empty();
  }

  private Map<String, Map<List<Long>, TorchValue>> places(Set<String> names) {
    Map<String, Map<List<Long>, TorchValue>> places = new HashMap<>();
    for (Map.Entry<TorchValue, TorchValue> pair : attribute(root, "storage_data").pairs()) {
      String name = attribute(pair.getKey(), "fqn").text();
      if (names.contains(name)) {
        places
            .computeIfAbsent(name, n -> new HashMap<>())
            .putIfAbsent(indexes(attribute(pair.getKey(), "offset")), pair.getValue());
      }
    }
    return places;
  }

  private DcpTensor tensor(String name, Map<List<Long>, TorchValue> places) {
    TorchValue tensor = tensors.get(name);
    DType dtype = dtype(attribute(tensor, "properties"));
    Map<List<Long>, DcpTensor.Chunk> chunks = new LinkedHashMap<>();
    for (TorchValue chunk : attribute(tensor, "chunks").items()) {
      Shape sizes = attribute(chunk, "sizes").shape();
      List<Long> offsets = indexes(attribute(chunk, "offsets"));
      // Ranks that have nothing of a tensor write chunks too, and copies are listed once each.
      DcpTensor.Chunk known = chunks.get(offsets);
      if (sizes.elements() > 0 && (known == null || !known.stored().sizes().equals(sizes))) {
        if (known != null) {
          throw DcpFailures.chunksOverlap(offsets, name, chunk.place());
        }
        chunks.put(offsets, chunk(name, dtype, offsets, sizes, places));
      }
    }
    return new DcpTensor(name, dtype, shape(name), new ArrayList<>(chunks.values()));
  }

  private DcpTensor.Chunk chunk(
      String name,
      DType dtype,
      List<Long> offsets,
      Shape sizes,
      Map<List<Long>, TorchValue> places) {
    String label = name + " chunk " + offsets;
    TorchValue place = places.get(offsets);
    if (place == null) {
      throw DcpFailures.chunkWithoutFile(label, root.place());
    }
    boolean transformed =
        place
            .attribute("transform_descriptors")
            .filter(d -> !d.isNone() && !(d.isSequence() && d.items().isEmpty()))
            .isPresent();
    if (transformed) {
      throw DcpFailures.transformed(label, root.place());
    }
    String path = attribute(place, "relative_path").text();
    long start = attribute(place, "offset").integer();
    long length = attribute(place, "length").integer();
    InputFile file = files.get(path);
    if (file == null) {
      throw DcpFailures.missingFile(path, label, root.place());
    }
    if (start < 0 || length < 0 || start > file.length() - length) {
      throw DcpFailures.cutOff(label, start, length, file.length(), file.uri());
    }
    return new DcpTensor.Chunk(offsets, path, new StoredChunk(label, dtype, sizes, start, length));
  }

  /** {@code TensorProperties} keeps its values as a tuple that starts with the type. */
  private static DType dtype(TorchValue properties) {
    TorchValue state = properties.state().orElse(properties);
    return state.isSequence() && !state.items().isEmpty()
        ? state.items().get(0).dtype()
        : attribute(properties, "dtype").dtype();
  }

  /** Not as a shape: the product of indexes can be more than fits. */
  private static List<Long> indexes(TorchValue value) {
    return value.items().stream().map(TorchValue::integer).toList();
  }

  private static TorchValue attribute(TorchValue object, String name) {
    return object.attribute(name).orElseThrow(() -> DcpFailures.notMetadata(name, object.place()));
  }
}
