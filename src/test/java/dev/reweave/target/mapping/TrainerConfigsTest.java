package dev.reweave.target.mapping;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.BooleanNode;
import com.fasterxml.jackson.databind.node.DoubleNode;
import com.fasterxml.jackson.databind.node.LongNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import dev.reweave.target.mapping.TrainerModelsTest.Model;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** What Megatron-LM's arguments of models that are in use make of a {@code config.json}. */
class TrainerConfigsTest {

  /** As {@code megatron/training/arguments.py} calls them; what is None is not there. */
  private static Map<String, JsonNode> arguments(Model m) {
    Map<String, JsonNode> arguments =
        Tensors.arguments(
            Map.of(
                "num_layers",
                (long) m.layers,
                "hidden_size",
                m.hidden,
                "num_attention_heads",
                m.heads,
                "num_query_groups",
                m.groups,
                "kv_channels",
                m.size,
                "max_position_embeddings",
                4096L,
                "rotary_base",
                500000L,
                "ffn_hidden_size",
                m.experts == 0 ? m.inner : 6144L,
                "vocab_size",
                m.vocabulary,
                "moe_router_topk",
                2L));
    if (m.experts > 0) {
      arguments.putAll(
          Tensors.arguments(Map.of("num_experts", m.experts, "moe_ffn_hidden_size", m.inner)));
    }
    arguments.put("norm_epsilon", DoubleNode.valueOf(1e-5));
    arguments.put("rotary_percent", DoubleNode.valueOf(1));
    arguments.put("normalization", TextNode.valueOf("RMSNorm"));
    arguments.put("position_embedding_type", TextNode.valueOf("rope"));
    arguments.put("moe_router_score_function", TextNode.valueOf("softmax"));
    for (String on : List.of("swiglu", "untie_embeddings_and_output_weights")) {
      arguments.put(on, BooleanNode.TRUE);
    }
    for (String off : List.of("add_bias_linear", "use_rope_scaling", "moe_router_pre_softmax")) {
      arguments.put(off, BooleanNode.FALSE);
    }
    arguments.put("add_qkv_bias", BooleanNode.valueOf(m.biased()));
    arguments.put("qk_layernorm", BooleanNode.valueOf(m.normed()));
    return arguments;
  }

  private static List<String> recognised(Model model, Map<String, JsonNode> arguments) {
    ModelFacts facts = new ModelFacts(arguments, Map.of(), "", Set::of);
    return Mappings.recognise(TrainerModelsTest.megatron(model).keySet(), () -> facts).stream()
        .map(Mapping::name)
        .toList();
  }

  private static MadeConfig made(Model model, Map<String, JsonNode> arguments) {
    return Mappings.find("megatron-" + model.type.replace('_', '-'))
        .orElseThrow()
        .config(arguments, TrainerModelsTest.hub(model))
        .orElseThrow();
  }

  @ParameterizedTest
  @EnumSource
  void theArgumentsTellWhichModelItIs(Model model) {
    assertEquals(
        List.of("megatron-" + model.type.replace('_', '-')), recognised(model, arguments(model)));
    MadeConfig made = made(model, arguments(model));

    assertEquals(List.of(), made.notes());
    ObjectNode config = made.json().orElseThrow();
    assertEquals(model.type, config.path("model_type").asText());
    Map<String, Number> numbers = new TreeMap<>();
    config
        .properties()
        .forEach(
            e -> {
              if (e.getValue().isNumber()) {
                numbers.put(e.getKey(), e.getValue().numberValue());
              }
            });
    assertEquals(expected(model), numbers);
    assertEquals("false", config.path("tie_word_embeddings").toString());
    assertEquals(model.normed() && model.experts > 0, config.path("norm_topk_prob").asBoolean());
  }

  private static Map<String, Number> expected(Model m) {
    Map<String, Number> numbers =
        new TreeMap<>(
            Map.of(
                "num_hidden_layers", (long) m.layers,
                "hidden_size", m.hidden,
                "num_attention_heads", m.heads,
                "num_key_value_heads", m.groups,
                "head_dim", m.size,
                "max_position_embeddings", 4096L,
                "rms_norm_eps", 1e-5,
                "rope_theta", 500000.0,
                "vocab_size", m.vocabulary));
    numbers.put("attention_dropout", 0.0);
    if (m == Model.QWEN_3_30B_A3B) {
      numbers.put("intermediate_size", 6144L);
      numbers.put("moe_intermediate_size", m.inner);
      numbers.put("num_experts", m.experts);
      numbers.put("decoder_sparse_step", 1);
    } else {
      numbers.put("intermediate_size", m.inner);
    }
    if (m == Model.MIXTRAL_8X7B) {
      numbers.put("num_local_experts", m.experts);
    }
    if (m.experts > 0) {
      numbers.put("num_experts_per_tok", 2L);
    }
    return numbers;
  }

  /** What a model of these kinds has no place for. */
  @ParameterizedTest
  @CsvSource({
    "LLAMA_3_8B, rotary_percent, 0.5",
    "LLAMA_3_8B, window_size, a tuple",
    "LLAMA_3_8B, normalization, LayerNorm",
    "LLAMA_3_8B, add_bias_linear, true",
    "QWEN_3_8B, multi_latent_attention, true",
    "QWEN_2_5_7B, use_rope_scaling, true",
    "MIXTRAL_8X7B, moe_shared_expert_intermediate_size, 512",
    "MIXTRAL_8X7B, moe_router_pre_softmax, true",
    "QWEN_3_30B_A3B, moe_router_score_function, sigmoid",
    "QWEN_3_30B_A3B, mtp_num_layers, 1"
  })
  void anotherModelIsNotRecognised(Model model, String argument, String value) {
    Map<String, JsonNode> arguments = arguments(model);
    arguments.put(
        argument,
        value.matches("\\d+")
            ? LongNode.valueOf(Long.parseLong(value))
            : value.matches("[\\d.]+")
                ? DoubleNode.valueOf(Double.parseDouble(value))
                : value.equals("true") ? BooleanNode.TRUE : TextNode.valueOf(value));

    assertEquals(List.of(), recognised(model, arguments));
    assertEquals(
        List.of(
            "no config.json is made: the trainer's arguments say "
                + argument
                + " "
                + value
                + ", for which this kind of model has no place; --base with the model's own"
                + " config.json brings one along"),
        made(model, arguments).notes());
  }

  @Test
  void rotaryScalesOfLlama31() {
    Map<String, JsonNode> arguments = arguments(Model.LLAMA_3_8B);
    arguments.put("use_rope_scaling", BooleanNode.TRUE);
    arguments.put("rope_scaling_factor", LongNode.valueOf(32));

    assertEquals(
        "{\"factor\":32.0,\"high_freq_factor\":4.0,\"low_freq_factor\":1.0,"
            + "\"original_max_position_embeddings\":8192,\"rope_type\":\"llama3\"}",
        made(Model.LLAMA_3_8B, arguments).json().orElseThrow().path("rope_scaling").toString());
  }

  /** Of a softmax over all experts, a token's shares of the best do not add up to 1. */
  @Test
  void sharesOfExpertsBeforeTheBestAreChosen() {
    Map<String, JsonNode> arguments = arguments(Model.QWEN_3_30B_A3B);
    arguments.put("moe_router_pre_softmax", BooleanNode.TRUE);

    assertEquals(
        "false",
        made(Model.QWEN_3_30B_A3B, arguments)
            .json()
            .orElseThrow()
            .path("norm_topk_prob")
            .toString());
  }
}
