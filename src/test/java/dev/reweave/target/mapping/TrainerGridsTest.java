package dev.reweave.target.mapping;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.reweave.target.mapping.TrainerModelsTest.Model;
import dev.reweave.tensor.DType;
import dev.reweave.tensor.GridLayout;
import dev.reweave.tensor.Layout;
import dev.reweave.tensor.NamedTensor;
import dev.reweave.tensor.Shape;
import dev.reweave.tensor.StorageRef;
import dev.reweave.tensor.StoredLayout;
import dev.reweave.tensor.TensorSpec;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.LongUnaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Whole models that are in use, in the chunks that Megatron-Core's ranks write of them: each layer
 * and each expert for itself, each part of a tensor-parallel rank, gates apart from what is gated.
 * Every element of the result is looked up in the chunks.
 */
class TrainerGridsTest {
  private static final Pattern LAYER =
      Pattern.compile("model\\.layers\\.(?<layer>\\d+)\\.(?<rest>.*)");
  private static final Pattern EXPERT =
      Pattern.compile(
          "(?:mlp|block_sparse_moe)\\.experts\\.(?<expert>\\d+)\\.(?<rest>.*)\\.weight");

  /** How many ranks there are in each direction. */
  private record Ranks(int tensor, int pipeline, int expert) {
    int file(int t, int p, int e) {
      return (p * expert + e) * tensor + t;
    }

    /** The stage of a layer, where the first stages have one more if it does not come out even. */
    int stage(int layer, int layers) {
      int more = layers % pipeline;
      int each = layers / pipeline;
      return layer < more * (each + 1)
          ? layer / (each + 1)
          : more + (layer - more * (each + 1)) / each;
    }
  }

  /** Where a chunk is in its whole tensor. */
  private static final class Box {
    private final String whole;
    private final Shape shape;
    private final long[] offsets;
    private final Shape sizes;

    Box(String whole, Shape shape, long[] offsets, Shape sizes) {
      this.whole = whole;
      this.shape = shape;
      this.offsets = offsets;
      this.sizes = sizes;
    }

    /** Where an element of the chunk is in the whole, which is flattened. */
    long index(long at) {
      long index = 0;
      long rest = at;
      long within = sizes.elements();
      for (int d = 0; d < offsets.length; d++) {
        within /= sizes.dim(d);
        index = index * shape.dim(d) + offsets[d] + rest / within;
        rest %= within;
      }
      return index;
    }
  }

  /** Where the elements of a tensor of the result are in a whole tensor of the trainer. */
  private record Source(String whole, LongUnaryOperator index) {}

  private static Stream<Arguments> grids() {
    List<Arguments> grids = new ArrayList<>();
    for (Model model : Model.values()) {
      for (int tensor : List.of(1, 2, 4, 8)) {
        for (int pipeline : List.of(1, 2, 3, 4)) {
          if (model.experts == 0) {
            if (model.groups % tensor == 0) {
              grids.add(Arguments.of(model, tensor, pipeline, 1));
            }
          } else if (model == Model.MIXTRAL_8X7B) {
            for (int expert : List.of(1, 2, 4, 8)) {
              grids.add(Arguments.of(model, tensor, pipeline, expert));
            }
          }
        }
      }
    }
    // With 128 experts a plan has 18867 tensors.
    grids.add(Arguments.of(Model.QWEN_3_30B_A3B, 1, 1, 8));
    grids.add(Arguments.of(Model.QWEN_3_30B_A3B, 2, 3, 4));
    grids.add(Arguments.of(Model.QWEN_3_30B_A3B, 4, 4, 2));
    return grids.stream();
  }

  @ParameterizedTest
  @MethodSource("grids")
  void everyElementIsWhereItsRankHasIt(Model model, int tensor, int pipeline, int expert) {
    Ranks ranks = new Ranks(tensor, pipeline, expert);
    Map<String, Box> boxes = new HashMap<>();
    Map<String, Shape> wholes = TrainerModelsTest.megatron(model);
    List<NamedTensor> own = new ArrayList<>();
    wholes.forEach((name, shape) -> own.add(cut(model, name, shape, ranks, boxes)));
    Mapped mapped =
        Mappings.find("megatron-" + model.type.replace('_', '-'))
            .orElseThrow()
            .apply(own, Map.of(), model.facts(Set.of()));

    assertEquals(TrainerModelsTest.hub(model), Tensors.shapes(mapped.tensors()));
    long padding = 0;
    for (String padded : List.of("embedding.word_embeddings.weight", "output_layer.weight")) {
      padding += (wholes.get(padded).dim(0) - model.vocabulary) * model.hidden;
    }
    assertEquals(
        wholes.values().stream().mapToLong(Shape::elements).sum() - padding,
        mapped.tensors().stream().mapToLong(t -> t.spec().elements()).sum());
    mapped.tensors().stream()
        .filter(t -> isLookedUp(model, t.name(), ranks))
        .forEach(t -> lookUp(model, t, boxes));
  }

  /** Layers and experts at the ends of each rank's share: all others are cut as they are. */
  private static boolean isLookedUp(Model model, String name, Ranks ranks) {
    Matcher layer = LAYER.matcher(name);
    if (!layer.matches()) {
      return true;
    }
    int number = Integer.parseInt(layer.group("layer"));
    Matcher expert = EXPERT.matcher(layer.group("rest"));
    int last = model.layers - 1;
    boolean edge =
        number == 0
            || number == last
            || ranks.stage(number, model.layers) != ranks.stage(number + 1, model.layers);
    return edge
        && (!expert.matches()
            || Integer.parseInt(expert.group("expert")) % (model.experts / ranks.expert()) == 0);
  }

  private static void lookUp(Model model, NamedTensor tensor, Map<String, Box> boxes) {
    Source source = source(model, tensor.name());
    long[] at = {0};
    tensor
        .layout()
        .runs(
            0,
            tensor.spec().elements(),
            (storage, from, count) -> {
              Box box = boxes.get(storage.name());
              long last = at[0] + count - 1;
              if (!box.whole.equals(source.whole())
                  || box.index(from) != source.index().applyAsLong(at[0])
                  || box.index(from + count - 1) != source.index().applyAsLong(last)
                  || box.index(from + count - 1) - box.index(from) != count - 1) {
                throw new AssertionError(
                    tensor.name() + " from " + at[0] + ": " + storage + " from " + from);
              }
              at[0] += count;
            });
    assertEquals(tensor.spec().elements(), at[0], tensor.name());
  }

  private static Source source(Model m, String name) {
    Matcher layer = LAYER.matcher(name);
    if (!layer.matches()) {
      return new Source(
          switch (name) {
            case "model.embed_tokens.weight" -> "embedding.word_embeddings.weight";
            case "lm_head.weight" -> "output_layer.weight";
            default -> "decoder.final_layernorm.weight";
          },
          k -> k);
    }
    return ofLayer(m, Integer.parseInt(layer.group("layer")), layer.group("rest"));
  }

  private static Source ofLayer(Model m, int layer, String rest) {
    Matcher expert = EXPERT.matcher(rest);
    if (expert.matches()) {
      long number = layer * m.experts + Integer.parseInt(expert.group("expert"));
      String experts = "mlp.experts.experts.";
      return switch (expert.group("rest")) {
        case "gate_proj", "w1" ->
            in(experts + "linear_fc1.weight", 2 * number * m.inner * m.hidden);
        case "up_proj", "w3" ->
            in(experts + "linear_fc1.weight", (2 * number + 1) * m.inner * m.hidden);
        default -> in(experts + "linear_fc2.weight", number * m.inner * m.hidden);
      };
    }
    return switch (rest) {
      case "input_layernorm.weight" ->
          in("self_attention.linear_qkv.layer_norm_weight", layer * m.hidden);
      case "post_attention_layernorm.weight" ->
          in(
              m.experts == 0 ? "mlp.linear_fc1.layer_norm_weight" : "pre_mlp_layernorm.weight",
              layer * m.hidden);
      case "self_attn.q_norm.weight" -> in("self_attention.q_layernorm.weight", layer * m.size);
      case "self_attn.k_norm.weight" -> in("self_attention.k_layernorm.weight", layer * m.size);
      case "self_attn.o_proj.weight" ->
          in("self_attention.linear_proj.weight", layer * m.hidden * m.heads * m.size);
      case "mlp.gate_proj.weight" -> in("mlp.linear_fc1.weight", 2L * layer * m.inner * m.hidden);
      case "mlp.up_proj.weight" ->
          in("mlp.linear_fc1.weight", (2L * layer + 1) * m.inner * m.hidden);
      case "mlp.down_proj.weight" -> in("mlp.linear_fc2.weight", layer * m.inner * m.hidden);
      case "mlp.gate.weight", "block_sparse_moe.gate.weight" ->
          in("mlp.router.weight", layer * m.experts * m.hidden);
      default -> fused(m, layer, rest);
    };
  }

  private static Source in(String whole, long before) {
    return new Source("decoder.layers." + whole, k -> before + k);
  }

  /** By groups of heads: the group's queries, its key, its value. */
  private static Source fused(Model m, int layer, String rest) {
    boolean bias = rest.endsWith("bias");
    long width = bias ? 1 : m.hidden;
    long queries = m.heads / m.groups;
    char part = rest.charAt("self_attn.".length());
    long first = layer * (m.heads + 2 * m.groups) * m.size;
    long each = part == 'q' ? queries : 1;
    long behind = part == 'q' ? 0 : part == 'k' ? queries : queries + 1;
    return new Source(
        "decoder.layers.self_attention.linear_qkv." + (bias ? "bias" : "weight"),
        k -> {
          long row = k / width;
          long head = row / m.size;
          long fused = head / each * (queries + 2) + behind + head % each;
          return (first + fused * m.size + row % m.size) * width + k % width;
        });
  }

  /** The chunks that ranks write of a tensor. */
  private static NamedTensor cut(
      Model model, String name, Shape whole, Ranks ranks, Map<String, Box> boxes) {
    int leading = name.contains(".experts.experts.") ? 2 : name.contains(".layers.") ? 1 : 0;
    int dim = dimension(name);
    int halves = name.endsWith("linear_fc1.weight") ? 2 : 1;
    int parts = dim < 0 ? 1 : ranks.tensor() * halves;
    List<GridLayout.Block> blocks = new ArrayList<>();
    List<Layout> layouts = new ArrayList<>();
    long layers = leading > 0 ? whole.dim(0) : 1;
    long experts = leading > 1 ? whole.dim(1) : 1;
    for (int layer = 0; layer < layers; layer++) {
      for (int expert = 0; expert < experts; expert++) {
        for (int part = 0; part < parts; part++) {
          long[] offsets = new long[whole.rank()];
          long[] sizes = whole.dims();
          if (leading > 0) {
            offsets[0] = layer;
            sizes[0] = 1;
          }
          if (leading > 1) {
            offsets[1] = expert;
            sizes[1] = 1;
          }
          if (dim >= 0) {
            sizes[leading + dim] /= parts;
            offsets[leading + dim] = part * sizes[leading + dim];
          }
          String chunk = name + " " + layer + " " + expert + " " + part;
          Shape shape = Shape.of(sizes);
          boxes.put(chunk, new Box(name, whole, offsets, shape));
          int file =
              ranks.file(
                  part % ranks.tensor(),
                  leading == 0 ? 0 : ranks.stage(layer, model.layers),
                  leading < 2 ? 0 : (int) (expert / (experts / ranks.expert())));
          StorageRef storage =
              new StorageRef(
                  file, chunk, 0, DType.BF16, shape.elements(), StorageRef.Endian.LITTLE, -1);
          List<Long> at = new ArrayList<>();
          for (long offset : offsets) {
            at.add(offset);
          }
          layouts.add(StoredLayout.contiguous(storage, 0, shape));
          blocks.add(new GridLayout.Block(at, shape, layouts.get(layouts.size() - 1)));
        }
      }
    }
    return new NamedTensor(
        new TensorSpec(name, DType.BF16, whole),
        blocks.size() == 1 ? layouts.get(0) : new GridLayout(whole, blocks));
  }

  /** Which dimension of a layer's tensor its ranks share; -1 for none. */
  private static int dimension(String name) {
    if (name.endsWith("linear_proj.weight") || name.endsWith("linear_fc2.weight")) {
      return 1;
    }
    boolean columns =
        name.endsWith("word_embeddings.weight")
            || name.equals("output_layer.weight")
            || name.endsWith("linear_qkv.weight")
            || name.endsWith("linear_qkv.bias")
            || name.endsWith("linear_fc1.weight");
    return columns ? 0 : -1;
  }
}
