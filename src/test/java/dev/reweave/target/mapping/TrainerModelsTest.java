package dev.reweave.target.mapping;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.reweave.tensor.NamedTensor;
import dev.reweave.tensor.Shape;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Names and shapes of whole models that are in use, on both sides of each shipped mapping. */
class TrainerModelsTest {

  /** A model as its config tells it: the numbers of the Hub's {@code config.json}. */
  enum Model {
    LLAMA_3_8B("llama", 32, 4096, 32, 8, 128, 14336, 128256, 0),
    LLAMA_3_70B("llama", 80, 8192, 64, 8, 128, 28672, 128256, 0),
    QWEN_2_5_7B("qwen2", 28, 3584, 28, 4, 128, 18944, 152064, 0),
    QWEN_3_8B("qwen3", 36, 4096, 32, 8, 128, 12288, 151936, 0),
    MIXTRAL_8X7B("mixtral", 32, 4096, 32, 8, 128, 14336, 32000, 8),
    QWEN_3_30B_A3B("qwen3_moe", 48, 2048, 32, 4, 128, 768, 151936, 128);

    final String type;
    final int layers;
    final long hidden;
    final long heads;
    final long groups;
    final long size;
    final long inner;
    final long vocabulary;
    final long experts;

    Model(
        String type,
        int layers,
        long hidden,
        long heads,
        long groups,
        long size,
        long inner,
        long vocabulary,
        long experts) {
      this.type = type;
      this.layers = layers;
      this.hidden = hidden;
      this.heads = heads;
      this.groups = groups;
      this.size = size;
      this.inner = inner;
      this.vocabulary = vocabulary;
      this.experts = experts;
    }

    boolean normed() {
      return type.startsWith("qwen3");
    }

    boolean biased() {
      return type.equals("qwen2");
    }

    ModelFacts facts(Set<String> base) {
      return new ModelFacts(
          Map.of(),
          Map.of(
              "num_attention_heads", heads,
              "num_key_value_heads", groups,
              "hidden_size", hidden,
              "head_dim", size,
              "vocab_size", vocabulary),
          type,
          () -> base);
    }
  }

  /** Names and shapes, as they are put together. */
  private static final class Shapes {
    private final Map<String, Shape> all = new TreeMap<>();

    private Shapes add(String name, long... dims) {
      all.put(name, Shape.of(dims));
      return this;
    }
  }

  /** As {@code save_pretrained} of transformers names them. */
  static Map<String, Shape> hub(Model m) {
    Shapes hub =
        new Shapes()
            .add("model.embed_tokens.weight", m.vocabulary, m.hidden)
            .add("model.norm.weight", m.hidden)
            .add("lm_head.weight", m.vocabulary, m.hidden);
    for (int layer = 0; layer < m.layers; layer++) {
      String at = "model.layers." + layer + ".";
      hub.add(at + "input_layernorm.weight", m.hidden)
          .add(at + "post_attention_layernorm.weight", m.hidden)
          .add(at + "self_attn.q_proj.weight", m.heads * m.size, m.hidden)
          .add(at + "self_attn.k_proj.weight", m.groups * m.size, m.hidden)
          .add(at + "self_attn.v_proj.weight", m.groups * m.size, m.hidden)
          .add(at + "self_attn.o_proj.weight", m.hidden, m.heads * m.size);
      if (m.biased()) {
        hub.add(at + "self_attn.q_proj.bias", m.heads * m.size)
            .add(at + "self_attn.k_proj.bias", m.groups * m.size)
            .add(at + "self_attn.v_proj.bias", m.groups * m.size);
      }
      if (m.normed()) {
        hub.add(at + "self_attn.q_norm.weight", m.size).add(at + "self_attn.k_norm.weight", m.size);
      }
      boolean mixtral = m.type.equals("mixtral");
      if (m.experts == 0) {
        hub.add(at + "mlp.gate_proj.weight", m.inner, m.hidden)
            .add(at + "mlp.up_proj.weight", m.inner, m.hidden)
            .add(at + "mlp.down_proj.weight", m.hidden, m.inner);
      } else {
        String moe = at + (mixtral ? "block_sparse_moe." : "mlp.");
        hub.add(moe + "gate.weight", m.experts, m.hidden);
        for (int expert = 0; expert < m.experts; expert++) {
          String each = moe + "experts." + expert + ".";
          hub.add(each + (mixtral ? "w1" : "gate_proj") + ".weight", m.inner, m.hidden)
              .add(each + (mixtral ? "w3" : "up_proj") + ".weight", m.inner, m.hidden)
              .add(each + (mixtral ? "w2" : "down_proj") + ".weight", m.hidden, m.inner);
        }
      }
    }
    return hub.all;
  }

  /**
   * As Megatron-Core's {@code torch_dist} names them, with a vocabulary padded to a multiple of 8 x
   * 128.
   */
  static Map<String, Shape> megatron(Model m) {
    long padded = (m.vocabulary + 1023) / 1024 * 1024;
    Shapes own =
        new Shapes()
            .add("embedding.word_embeddings.weight", padded, m.hidden)
            .add("output_layer.weight", padded, m.hidden)
            .add("decoder.final_layernorm.weight", m.hidden);
    String at = "decoder.layers.";
    long fused = (m.heads + 2 * m.groups) * m.size;
    own.add(at + "self_attention.linear_qkv.weight", m.layers, fused, m.hidden)
        .add(at + "self_attention.linear_qkv.layer_norm_weight", m.layers, m.hidden)
        .add(at + "self_attention.linear_proj.weight", m.layers, m.hidden, m.heads * m.size);
    if (m.biased()) {
      own.add(at + "self_attention.linear_qkv.bias", m.layers, fused);
    }
    if (m.normed()) {
      own.add(at + "self_attention.q_layernorm.weight", m.layers, m.size)
          .add(at + "self_attention.k_layernorm.weight", m.layers, m.size);
    }
    if (m.experts == 0) {
      own.add(at + "mlp.linear_fc1.layer_norm_weight", m.layers, m.hidden)
          .add(at + "mlp.linear_fc1.weight", m.layers, 2 * m.inner, m.hidden)
          .add(at + "mlp.linear_fc2.weight", m.layers, m.hidden, m.inner);
    } else {
      String experts = at + "mlp.experts.experts.";
      own.add(at + "pre_mlp_layernorm.weight", m.layers, m.hidden)
          .add(at + "mlp.router.weight", m.layers, m.experts, m.hidden)
          .add(experts + "linear_fc1.weight", m.layers, m.experts, 2 * m.inner, m.hidden)
          .add(experts + "linear_fc2.weight", m.layers, m.experts, m.hidden, m.inner);
    }
    return own.all;
  }

  /** As Megatron-Core names them with {@code singleton_local_shards}: each layer by itself. */
  private static Map<String, Shape> apart(Model m) {
    Shapes apart = new Shapes();
    megatron(m)
        .forEach(
            (name, shape) -> {
              if (!name.startsWith("decoder.layers.")) {
                apart.all.put(name, shape);
                return;
              }
              for (int layer = 0; layer < m.layers; layer++) {
                String own = name.replace("layers.", "layers." + layer + ".");
                long[] dims = new long[shape.rank() - 1];
                System.arraycopy(shape.dims(), 1, dims, 0, dims.length);
                experts(apart, own, dims);
              }
            });
    return apart.all;
  }

  private static void experts(Shapes apart, String name, long... dims) {
    if (!name.contains(".experts.experts.")) {
      gateAndUp(apart, name, dims);
      return;
    }
    for (int expert = 0; expert < dims[0]; expert++) {
      gateAndUp(
          apart,
          name.replace("experts.experts.", "experts.experts." + expert + "."),
          dims[1],
          dims[2]);
    }
  }

  private static void gateAndUp(Shapes apart, String name, long... dims) {
    if (name.endsWith("linear_fc1.weight")) {
      apart.add(name + "_w", dims[0] / 2, dims[1]).add(name + "_v", dims[0] / 2, dims[1]);
    } else {
      apart.add(name, dims);
    }
  }

  private static String mappingOf(Map<String, Shape> own, ModelFacts facts) {
    List<Mapping> fitting = Mappings.recognise(own.keySet(), () -> facts);
    assertEquals(1, fitting.size());
    return fitting.get(0).name();
  }

  private static Map<String, Shape> mapped(Map<String, Shape> own, ModelFacts facts) {
    List<NamedTensor> tensors = Tensors.tensors(own);
    Mapped mapped =
        Mappings.find(mappingOf(own, facts)).orElseThrow().apply(tensors, Map.of(), facts);
    return Tensors.shapes(mapped.tensors());
  }

  @ParameterizedTest
  @EnumSource
  void megatronsLayersInOneTensor(Model model) {
    ModelFacts facts = model.facts(Set.of());
    assertEquals("megatron-" + model.type.replace('_', '-'), mappingOf(megatron(model), facts));
    assertEquals(hub(model), mapped(megatron(model), facts));
  }

  @ParameterizedTest
  @EnumSource
  void megatronsLayersApart(Model model) {
    assertEquals(hub(model), mapped(apart(model), model.facts(Set.of())));
  }

  /** NeMo's names have one word more, and tied models no output layer. */
  @ParameterizedTest
  @EnumSource
  void nemosNamesOfATiedModel(Model model) {
    Map<String, Shape> own = new TreeMap<>();
    megatron(model).forEach((name, shape) -> own.put("module." + name, shape));
    own.remove("module.output_layer.weight");
    Map<String, Shape> expected = hub(model);
    expected.remove("lm_head.weight");
    assertEquals(expected, mapped(own, model.facts(Set.of())));
  }

  /** What transformers 5 has in memory, where the base was saved under those names. */
  @ParameterizedTest
  @EnumSource(names = {"MIXTRAL_8X7B", "QWEN_3_30B_A3B"})
  void expertsInOneTensorBesideABaseThatHasThemSo(Model m) {
    Map<String, Shape> expected = hub(m);
    expected.keySet().removeIf(name -> name.contains(".experts.") || name.contains(".gate."));
    for (int layer = 0; layer < m.layers; layer++) {
      String moe = "model.layers." + layer + ".mlp.";
      expected.put(moe + "gate.weight", Shape.of(m.experts, m.hidden));
      expected.put(moe + "experts.gate_up_proj", Shape.of(m.experts, 2 * m.inner, m.hidden));
      expected.put(moe + "experts.down_proj", Shape.of(m.experts, m.hidden, m.inner));
    }
    ModelFacts facts = m.facts(expected.keySet());
    assertEquals(expected, mapped(megatron(m), facts));
    assertEquals(expected, mapped(apart(m), facts));
    if (m.normed()) {
      assertEquals(expected, mapped(torchtitan(m, "moe.experts.w%s"), facts));
    }
  }

  /**
   * As torchtitan names them.
   *
   * @param experts how those are called
   */
  private static Map<String, Shape> torchtitan(Model m, String experts) {
    boolean old = experts.startsWith("moe.experts");
    Shapes own =
        new Shapes()
            .add("tok_embeddings.weight", m.vocabulary, m.hidden)
            .add("norm.weight", m.hidden)
            .add(old ? "output.weight" : "lm_head.weight", m.vocabulary, m.hidden);
    for (int layer = 0; layer < m.layers; layer++) {
      String at = "layers." + layer + ".";
      String qkv = at + "attention." + (old ? "" : "qkv_linear.");
      own.add(at + "attention_norm.weight", m.hidden)
          .add(at + "ffn_norm.weight", m.hidden)
          .add(qkv + "wq.weight", m.heads * m.size, m.hidden)
          .add(qkv + "wk.weight", m.groups * m.size, m.hidden)
          .add(qkv + "wv.weight", m.groups * m.size, m.hidden)
          .add(at + "attention.wo.weight", m.hidden, m.heads * m.size);
      if (m.normed()) {
        own.add(at + "attention.q_norm.weight", m.size).add(at + "attention.k_norm.weight", m.size);
      }
      if (m.experts == 0) {
        own.add(at + "feed_forward.w1.weight", m.inner, m.hidden)
            .add(at + "feed_forward.w2.weight", m.hidden, m.inner)
            .add(at + "feed_forward.w3.weight", m.inner, m.hidden);
      } else {
        own.add(at + "moe.router.gate.weight", m.experts, m.hidden)
            .add(at + "moe.expert_bias" + (old ? "" : "_E"), m.experts)
            .add(at + expert(experts, "1", "EFD"), m.experts, m.inner, m.hidden)
            .add(at + expert(experts, "2", "EDF"), m.experts, m.hidden, m.inner)
            .add(at + expert(experts, "3", "EFD"), m.experts, m.inner, m.hidden);
      }
    }
    return own.all;
  }

  private static String expert(String names, String number, String dims) {
    return String.format(names, number, dims);
  }

  @ParameterizedTest
  @EnumSource(names = {"LLAMA_3_8B", "LLAMA_3_70B", "QWEN_3_8B", "QWEN_3_30B_A3B"})
  void torchtitansNames(Model model) {
    ModelFacts facts = model.facts(Set.of());
    for (String experts : List.of("moe.routed_experts.inner_experts.w%s_%s", "moe.experts.w%s")) {
      Map<String, Shape> own = torchtitan(model, experts);
      assertEquals(
          model.normed() ? "torchtitan-qwen3" : "torchtitan-llama3", mappingOf(own, facts));
      assertEquals(hub(model), mapped(own, facts));
    }
  }

  /** A layer of each kind, with and without a query rank; the shapes are those of 671B. */
  @Test
  void torchtitansDeepSeek() {
    Shapes own = new Shapes().add("tok_embeddings.weight", 129280, 7168).add("norm.weight", 7168);
    own.add("lm_head.weight", 129280, 7168);
    Shapes hub =
        new Shapes()
            .add("model.embed_tokens.weight", 129280, 7168)
            .add("model.norm.weight", 7168)
            .add("lm_head.weight", 129280, 7168);
    for (int layer = 0; layer < 2; layer++) {
      String at = "layers." + layer + ".";
      String to = "model.layers." + layer + ".";
      attention(own, at + "attention.", "wq", "q_norm", "wkv_a", "kv_norm", "wkv_b", "wo", layer);
      attention(
          hub,
          to + "self_attn.",
          "q",
          "q_a_layernorm",
          "kv_a_proj_with_mqa",
          "kv_a_layernorm",
          "kv_b_proj",
          "o_proj",
          layer);
      own.add(at + "attention_norm.weight", 7168).add(at + "ffn_norm.weight", 7168);
      hub.add(to + "input_layernorm.weight", 7168)
          .add(to + "post_attention_layernorm.weight", 7168);
    }
    gated(own, "layers.0.feed_forward.", "w1", "w3", "w2", 18432);
    gated(hub, "model.layers.0.mlp.", "gate_proj", "up_proj", "down_proj", 18432);
    gated(own, "layers.1.moe.shared_experts.", "w1", "w3", "w2", 2048);
    gated(hub, "model.layers.1.mlp.shared_experts.", "gate_proj", "up_proj", "down_proj", 2048);
    String experts = "layers.1.moe.routed_experts.inner_experts.";
    own.add("layers.1.moe.router.gate.weight", 256, 7168)
        .add("layers.1.moe.expert_bias_E", 256)
        .add(experts + "w1_EFD", 256, 2048, 7168)
        .add(experts + "w2_EDF", 256, 7168, 2048)
        .add(experts + "w3_EFD", 256, 2048, 7168);
    hub.add("model.layers.1.mlp.gate.weight", 256, 7168)
        .add("model.layers.1.mlp.gate.e_score_correction_bias", 256);
    for (int expert = 0; expert < 256; expert++) {
      String each = "model.layers.1.mlp.experts." + expert + ".";
      gated(hub, each, "gate_proj", "up_proj", "down_proj", 2048);
    }
    ModelFacts facts = new ModelFacts(Map.of(), Map.of(), "deepseek_v3", Set::of);

    assertEquals("torchtitan-deepseek-v3", mappingOf(own.all, facts));
    assertEquals(hub.all, mapped(own.all, facts));
  }

  private static void gated(
      Shapes shapes, String at, String gate, String up, String down, long inner) {
    shapes
        .add(at + gate + ".weight", inner, 7168)
        .add(at + up + ".weight", inner, 7168)
        .add(at + down + ".weight", 7168, inner);
  }

  /** Layer 0 has queries of one matrix, layer 1 of two. */
  private static void attention(
      Shapes shapes,
      String at,
      String q,
      String qNorm,
      String kvA,
      String kvNorm,
      String kvB,
      String o,
      int layer) {
    String end = q.equals("q") ? "_proj.weight" : ".weight";
    if (layer == 0) {
      shapes.add(at + q + end, 24576, 7168);
    } else {
      shapes
          .add(at + q + "_a" + end, 1536, 7168)
          .add(at + qNorm + ".weight", 1536)
          .add(at + q + "_b" + end, 24576, 1536);
    }
    shapes
        .add(at + kvA + ".weight", 576, 7168)
        .add(at + kvNorm + ".weight", 512)
        .add(at + kvB + ".weight", 32768, 512)
        .add(at + o + ".weight", 7168, 16384);
  }

  @ParameterizedTest
  @EnumSource
  void namesAreNotRecognisedBesideABaseOfAnotherKind(Model model) {
    ModelFacts other = ModelFacts.of(Map.of(), Optional.empty(), Set::of);
    assertEquals(List.of(), Mappings.recognise(megatron(model).keySet(), () -> other));
    assertEquals(
        List.of(), Mappings.recognise(torchtitan(model, "moe.experts.w%s").keySet(), () -> other));
    assertEquals(List.of(), Mappings.recognise(hub(model).keySet(), () -> model.facts(Set.of())));
  }
}
