package dev.reweave.fuzz;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.node.LongNode;
import dev.reweave.target.mapping.MadeConfig;
import dev.reweave.target.mapping.Mapped;
import dev.reweave.target.mapping.Mapping;
import dev.reweave.target.mapping.ModelFacts;
import dev.reweave.tensor.DType;
import dev.reweave.tensor.NamedTensor;
import dev.reweave.tensor.Shape;
import dev.reweave.tensor.SlicingRule;
import dev.reweave.tensor.StorageRef;
import dev.reweave.tensor.StoredLayout;
import dev.reweave.tensor.TensorSpec;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Mapping files, applied to a few tensors. */
public final class MappingFuzz {
  private static final List<NamedTensor> TENSORS =
      List.of(
          tensor("a", 4),
          tensor("layers.0.attention.query_key_value.weight", 12, 4),
          tensor("layers.0.attention.dense.weight", 4, 4),
          tensor("layers.10.mlp.dense_h_to_4h.bias", 16),
          tensor("model.diffusion_model.mixins.patch_embed.proj.weight", 2, 2, 1, 1),
          tensor("to_q.lora_A.weight", 2, 4),
          tensor("to_k.lora_A.weight", 2, 4),
          tensor("encoder.conv_in.conv.weight", 0, 3),
          tensor("layers.0.mlp.experts.gate_up_proj", 3, 4, 2),
          tensor("layers.0.mlp.experts.down_proj", 3, 2, 2),
          tensor("layers.1.mlp.experts.0.gate.weight", 2, 2),
          tensor("layers.1.mlp.experts.0.up.weight", 2, 2),
          tensor("layers.1.mlp.experts.1.gate.weight", 2, 2),
          tensor("layers.1.mlp.experts.1.up.weight", 2, 2),
          tensor("stack.qkv", 2, 8, 3),
          tensor("pairs", 8, 2),
          tensor("rows", 6, 2));
  private static final ModelFacts FACTS =
      new ModelFacts(
          Map.of("h", LongNode.valueOf(4), "v", LongNode.valueOf(5)),
          Map.of("heads", 4L, "kv", 2L, "vocab", 6L),
          "m",
          () -> List.of("layers.0.x"));
  private static final List<String> NAMES = TENSORS.stream().map(NamedTensor::name).toList();
  private static final Map<String, String> ALIASES = Map.of("tied", "a");

  private static final String SMALL =
      """
      {"name": "m", "description": "d", "component": "transformer", "weightsName": "w",
       "recognise": {"all": ["layers\\\\.\\\\d+\\\\..*"], "none": ["nothing"],
        "base": {"all": ["layers\\\\..*"], "none": ["nothing"]}, "config": ["m", "n"]},
       "values": {"heads": {"checkpoint": ["h"], "base": ["heads"]},
        "groups": {"base": ["kv", "heads/h"]},
        "rows": {"checkpoint": ["v"], "base": ["vocab"], "kind": "room"}},
       "config": {"when": {"h": [4, null]}, "a": {"argument": ["g", "h"], "as": "real"},
        "b": {"not": "t", "else": true}, "c": {"rows": "x.b", "argument": "v"}, "d": [1],
        "e": {"when": {"v": [5]}, "f": {"argument": "v"}}},
       "rules": [
        {"match": "stack\\\\.([a-z]+)", "unstack": {"dim": 0, "then": "stacked.${index}.$1"}},
        {"match": "stacked\\\\.(\\\\d)\\\\.qkv", "beside": "layers.*", "split": {"dim": 0, "groups": "groups",
         "sizes": ["heads/groups", 1, 1], "unit": 1, "into": ["$1.q", "$1.k", "$1.v"]}},
        {"match": "pairs", "reorder": {"dim": 0, "as": ["heads", "*", 2], "order": [0, 2, 1],
         "into": "halves"}},
        {"match": "rows", "cut": {"dim": 0, "length": "rows", "into": "cut"}},
        {"prefix": "module.", "then": "module."},
        {"match": "(?<g>a|tied)", "translate": {"g": {"a": "b", "tied": "c"}}, "rename": "x.${g}"},
        {"match": "(.*)query_key_value(.*)",
         "split": {"dim": 0, "into": ["$1q$2", "$1k$2", "$1v$2"]}},
        {"match": "(.*)dense\\\\.weight", "shape": [4, "*"],
         "split": {"dim": 1, "parts": 2, "into": [{"to": "d0", "take": [1]}, {"to": "d1", "take": [0]}]}},
        {"match": "to_([qk])\\\\.lora_A\\\\.weight",
         "join": {"to": "qk", "dim": 0, "part": "$1", "order": ["q", "k"]}},
        {"match": "(.*)\\\\.gate_up_proj", "unstack": {"dim": 0,
         "split": {"dim": 0, "into": ["$1.${index}.gate", "$1.${index}.up"]}}},
        {"match": "(.*)\\\\.down_proj", "unstack": {"dim": 1, "into": "$1.${index}.down"}},
        {"match": "(.*)\\\\.(\\\\d+)\\\\.(gate|up)\\\\.weight",
         "stack": {"to": "$1.gate_up_proj", "dim": 0, "index": "$2",
          "join": {"dim": 0, "part": "$3", "order": ["gate", "up"]}}},
        {"match": "model.*", "drop": "not wanted"},
        {"prefix": "layers.", "rename": "blocks."},
        {"prefix": "", "rename": ""},
        {"match": "blocks\\\\.(\\\\d+)\\\\..*", "require": ["qk"]}],
       "tensorParallel": [
        {"match": ".*weight", "dim": 0, "parts": [3, 2], "vocabulary": 4},
        {"match": ".*bias", "kind": "replicated"},
        {"match": "a", "dim": 0, "shares": [[1, 3], [2, 2]]}]}
      """;

  private static final Documents DOCUMENTS = new Documents(mappings(), Words.jsonValues());

  private MappingFuzz() {}

  private static List<List<byte[]>> mappings() {
    List<List<byte[]>> mappings = new ArrayList<>();
    mappings.add(Words.json(SMALL.getBytes(UTF_8)));
    mappings.add(Words.json(Seeds.bytes("fixtures/tp2_z1_fp16_w2/mapping.json")));
    for (String name : List.of("lora", "transformer", "vae")) {
      mappings.add(Words.json(Seeds.bytes("dev/reweave/mappings/cogvideox-sat-" + name + ".json")));
    }
    for (String name : List.of("mixtral", "moe", "qwen2-vl")) {
      mappings.add(Words.json(Seeds.bytes("dev/reweave/mappings/transformers-" + name + ".json")));
    }
    for (String name : List.of("megatron-qwen3-moe", "torchtitan-llama3")) {
      mappings.add(Words.json(Seeds.bytes("dev/reweave/mappings/" + name + ".json")));
    }
    return mappings;
  }

  static NamedTensor tensor(String name, long... dims) {
    Shape shape = Shape.of(dims);
    StorageRef storage =
        new StorageRef(0, name, 0, DType.BF16, shape.elements(), StorageRef.Endian.LITTLE, -1);
    return new NamedTensor(
        new TensorSpec(name, DType.BF16, shape), StoredLayout.contiguous(storage, 0, shape));
  }

  static List<byte[]> seeds() {
    return DOCUMENTS.seeds();
  }

  /** Called by the fuzzer. */
  public static void fuzzerTestOneInput(byte[] input) {
    byte[] json = DOCUMENTS.read(input);
    Promise.check(
        () -> {
          Mapping mapping = Mapping.parse(json, "memory:/mapping.json");
          mapping.recognises(NAMES, () -> ModelFacts.of(Map.of(), Optional.empty(), () -> NAMES));
          for (SlicingRule rule : mapping.slicing()) {
            TENSORS.stream().filter(t -> rule.matches(t.name())).forEach(t -> whole(rule, t));
          }
          Mapped mapped = mapping.apply(TENSORS, ALIASES, FACTS);
          TreeWalk.tensors(mapped.tensors());
          Map<String, Shape> shapes = new HashMap<>();
          mapped.tensors().forEach(t -> shapes.put(t.name(), t.spec().shape()));
          mapping
              .config(FACTS.arguments(), shapes)
              .flatMap(MadeConfig::json)
              .ifPresent(MadeConfig::bytes);
        });
  }

  /** What two ranks with such a slice each have, as the reader of checkpoints asks for it. */
  private static void whole(SlicingRule rule, NamedTensor slice) {
    try {
      TreeWalk.tensors(List.of(rule.slicing().whole(List.of(slice, slice))));
    } catch (IllegalArgumentException e) {
      // the reader tells the user of it, with the tensor and the ranks
    }
  }
}
