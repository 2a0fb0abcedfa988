package dev.reweave.target.mapping;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.LongNode;
import dev.reweave.tensor.DType;
import dev.reweave.tensor.NamedTensor;
import dev.reweave.tensor.Shape;
import dev.reweave.tensor.StorageRef;
import dev.reweave.tensor.StoredLayout;
import dev.reweave.tensor.TensorSpec;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Tensors of which nothing but names, types and shapes matters. */
final class Tensors {
  private Tensors() {}

  static NamedTensor tensor(String name, long... dims) {
    return tensor(DType.BF16, name, dims);
  }

  static NamedTensor tensor(DType type, String name, long... dims) {
    Shape shape = Shape.of(dims);
    StorageRef storage =
        new StorageRef(0, "data/" + name, 0, type, shape.elements(), StorageRef.Endian.LITTLE, -1);
    return new NamedTensor(
        new TensorSpec(name, type, shape), StoredLayout.contiguous(storage, 0, shape));
  }

  /** What a trainer stored, of whole numbers. */
  static Map<String, JsonNode> arguments(Map<String, Long> numbers) {
    Map<String, JsonNode> arguments = new TreeMap<>();
    numbers.forEach((name, number) -> arguments.put(name, LongNode.valueOf(number)));
    return arguments;
  }

  static List<NamedTensor> tensors(Map<String, Shape> shapes) {
    return shapes.entrySet().stream()
        .map(entry -> tensor(entry.getKey(), entry.getValue().dims()))
        .toList();
  }

  static Map<String, Shape> shapes(List<NamedTensor> tensors) {
    Map<String, Shape> shapes = new TreeMap<>();
    for (NamedTensor tensor : tensors) {
      shapes.put(tensor.name(), tensor.spec().shape());
    }
    return shapes;
  }

  /** A mapping of these rules, each a JSON object in which {@code '} stands for quotes. */
  static Mapping mapping(String... rules) {
    return parse("{'name': 'm', 'description': 'd', 'rules': [" + String.join(",", rules) + "]}");
  }

  static Mapping parse(String json) {
    return Mapping.parse(json.replace('\'', '"').getBytes(UTF_8), "conf/x.json");
  }

  /** Every run of a tensor, as storage, first element and length. */
  static List<String> runs(NamedTensor tensor) {
    List<String> runs = new ArrayList<>();
    tensor
        .layout()
        .runs(0, tensor.spec().elements(), (s, at, n) -> runs.add(s.name() + "@" + at + "+" + n));
    return runs;
  }
}
