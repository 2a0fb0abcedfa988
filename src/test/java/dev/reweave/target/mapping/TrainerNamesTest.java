package dev.reweave.target.mapping;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.NullNode;
import com.fasterxml.jackson.databind.node.TextNode;
import dev.reweave.checkpoint.ReadOptions;
import dev.reweave.checkpoint.Weights;
import dev.reweave.common.ReweaveException;
import dev.reweave.plan.PlanOptions;
import dev.reweave.plan.SmallFile;
import dev.reweave.testing.Converting;
import dev.reweave.testing.Fixtures;
import dev.reweave.testing.Gathered;
import dev.reweave.testing.StoredTensors;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Small models that Megatron-Core (0.16.1 of PyPI, and 0.20-dev where its version is not said) and
 * torchtitan (0.3.0, and its sources of late 2026) saved themselves, beside the {@code config.json}
 * of the same model in transformers.
 *
 * <p>The expected tensors were proven: with them transformers gave the logits that the trainer's
 * own model gave.
 */
class TrainerNamesTest {
  private static final String BF16_AND_MASTERS = "megatron-016-llama-fully-reshardable";

  @TempDir Path temp;

  private static Path fixture(String name) {
    return Fixtures.resource("trainers/" + name);
  }

  private Converting converting(String name) {
    return Converting.between(fixture(name).resolve("ckpt"), temp.resolve("out")).type("keep");
  }

  private static Path expected(String name) {
    return fixture(name).resolve("expected.safetensors");
  }

  @ParameterizedTest
  @CsvSource({
    "megatron-016-llama-tp2, , megatron-llama",
    "megatron-016-llama-singleton-tp2, , megatron-llama",
    "megatron-016-llama-fully-reshardable, , megatron-llama",
    "megatron-llama-tied-tp2, , megatron-llama",
    "torchtitan-llama3, checkpoint, torchtitan-llama3",
    "torchtitan-030-deepseek-v3, checkpoint, torchtitan-deepseek-v3"
  })
  void namesAreThoseOfTheBase(String name, String folder, String mapping) throws IOException {
    Path input = fixture(name).resolve("ckpt").resolve(folder == null ? "" : folder);

    Gathered gathered =
        Converting.between(input, temp.resolve("out"))
            .type("keep")
            .base(fixture(name).resolve("hf"))
            .gather();

    assertEquals(StoredTensors.of(expected(name)), gathered.tensors());
    assertEquals(mapping, gathered.prepared().mapping().orElseThrow().name());
  }

  /** Without a base the arguments that the trainer stored tell what model it is. */
  @ParameterizedTest
  @CsvSource({
    "megatron-016-llama-tp2",
    "megatron-016-llama-singleton-tp2",
    "megatron-016-llama-fully-reshardable",
    "megatron-llama-tied-tp2"
  })
  void theTrainersArgumentsAreEnough(String name) throws IOException {
    Gathered gathered = converting(name).gather();

    assertEquals(StoredTensors.of(expected(name)), gathered.tensors());
    List<SmallFile> configs = gathered.prepared().plan().configs();
    assertEquals(List.of("config.json"), configs.stream().map(SmallFile::path).toList());
    JsonNode made = new ObjectMapper().readTree(configs.get(0).content());
    JsonNode own = new ObjectMapper().readTree(fixture(name).resolve("hf/config.json").toFile());
    for (Map.Entry<String, JsonNode> entry : made.properties()) {
      JsonNode same =
          switch (entry.getKey()) {
            case "rope_theta" -> own.path("rope_parameters").path("rope_theta");
            // transformers leaves out what is the default.
            case "torch_dtype" ->
                own.has("dtype") ? own.path("dtype") : TextNode.valueOf("float32");
            // These are those of transformers' class: no argument tells them.
            case "bos_token_id", "eos_token_id" -> NullNode.getInstance();
            default -> own.path(entry.getKey());
          };
      assertEquals(same, entry.getValue(), entry.getKey());
    }
    assertTrue(
        gathered
            .notes()
            .contains(
                "config.json is made of the trainer's arguments (LlamaForCausalLM): the tokenizer,"
                    + " and which tokens begin and end a text, are not among them"),
        gathered.notes().toString());
  }

  /** The config follows the type of the weights, and comes with whole models alone. */
  @Test
  void theConfigIsOneOfTheResult() throws IOException {
    SmallFile config =
        converting("megatron-016-llama-tp2").type("float32").prepare().plan().configs().get(0);
    assertTrue(
        new String(config.content(), UTF_8)
            .startsWith("{\n  \"architectures\": [\n    \"LlamaForCausalLM\"\n  ],\n"),
        new String(config.content(), UTF_8));
    assertTrue(new String(config.content(), UTF_8).contains("\"torch_dtype\": \"float32\""));
    assertEquals(
        List.of(),
        converting("megatron-016-llama-tp2")
            .planning(PlanOptions.DEFAULTS.with(PlanOptions.ONLY, Optional.of("model.norm.*")))
            .prepare()
            .plan()
            .configs());
  }

  /** NeMo stores no arguments. */
  @Test
  void namesStayWithoutABaseAndArguments() throws IOException {
    Path ckpt = Fixtures.copy(fixture("megatron-016-llama-tp2").resolve("ckpt"), temp.resolve("c"));
    Files.delete(ckpt.resolve("iter_0000010/common.pt"));
    Gathered gathered = Converting.between(ckpt, temp.resolve("out")).type("keep").gather();

    assertTrue(gathered.prepared().mapping().isEmpty());
    assertEquals(List.of(), gathered.prepared().plan().configs());
    assertTrue(gathered.names().contains("decoder.layers.self_attention.linear_qkv.weight"));
    assertTrue(
        gathered
            .notes()
            .contains(
                "names as they are stored: megatron-llama, megatron-qwen2, megatron-qwen3 would give"
                    + " those of transformers; a --base with the model's config.json tells which"),
        gathered.notes().toString());
  }

  @Test
  void mastersGetTheSameNames() throws IOException {
    Gathered gathered =
        converting(BF16_AND_MASTERS)
            .base(fixture(BF16_AND_MASTERS).resolve("hf"))
            .weights(Weights.MASTER)
            .type("keep")
            .proving()
            .gather();

    assertEquals(21, gathered.proof().orElseThrow().tensors());
    assertEquals(
        StoredTensors.of(fixture(BF16_AND_MASTERS).resolve("expected_fp32.safetensors")),
        gathered.tensors());
  }

  /** The masters of this one were saved without those of one kind of layer. */
  @Test
  void mastersOfAPartOfTheModelAreRefused() {
    ReweaveException e =
        assertThrows(
            ReweaveException.class,
            () ->
                converting("megatron-016-llama-tp2")
                    .reading(ReadOptions.defaults().withWeights(Weights.MASTER))
                    .gather());

    assertEquals(
        "1 of 9 tensors have no fp32 master: decoder.layers.mlp.linear_fc1.weight", e.problem());
  }

  @Test
  void aBaseOfAnotherModelIsRefused() throws IOException {
    Path base = Files.createDirectories(temp.resolve("base"));
    String config = Files.readString(fixture("megatron-016-llama-tp2").resolve("hf/config.json"));
    Files.writeString(
        base.resolve("config.json"),
        config.replace("\"num_key_value_heads\": 2", "\"num_key_value_heads\": 4"));

    ReweaveException e =
        assertThrows(
            ReweaveException.class, () -> converting("megatron-016-llama-tp2").base(base).gather());

    assertEquals(
        "the checkpoint was trained with num_query_groups 2, and the config.json of the base has"
            + " num_key_value_heads 4 ('groups' of the mapping)",
        e.problem());
  }

  @Test
  void torchtitansHeadsAreNotGuessed() {
    ReweaveException e =
        assertThrows(
            ReweaveException.class,
            () ->
                Converting.between(
                        fixture("torchtitan-llama3").resolve("ckpt/checkpoint"),
                        temp.resolve("out"))
                    .mapping("torchtitan-llama3")
                    .gather());

    assertEquals(
        "the mapping needs the number 'heads', which num_attention_heads of the base's config.json"
            + " would tell, and nothing does",
        e.problem());
  }

  /** Names and cuts of the trainer, made of those of transformers, are what the trainer had. */
  @ParameterizedTest
  @CsvSource({
    "megatron-016-llama-singleton-tp2, , hf-to-megatron-llama, megatron-llama",
    "megatron-llama-tied-tp2, , hf-to-megatron-llama, megatron-llama",
    "torchtitan-llama3, checkpoint, hf-to-torchtitan-llama3, torchtitan-llama3"
  })
  void thereAndBack(String name, String folder, String there, String back) throws IOException {
    Path model = Files.createDirectories(temp.resolve("model"));
    Files.copy(expected(name), model.resolve("model.safetensors"));
    Path hf = fixture(name).resolve("hf");
    Files.copy(hf.resolve("config.json"), model.resolve("config.json"));
    Gathered own =
        Converting.between(
                fixture(name).resolve("ckpt").resolve(folder == null ? "" : folder),
                temp.resolve("unused"))
            .type("keep")
            .mapping("none")
            .gather();

    Converting.between(model, temp.resolve("trainer")).type("keep").mapping(there).run();
    Map<String, String> trainer = StoredTensors.inFolder(temp.resolve("trainer"));
    // Those that are in one tensor for all layers, or in halves, have other names there.
    List<String> same = trainer.keySet().stream().filter(own.tensors()::containsKey).toList();
    assertTrue(same.size() > 1, trainer.keySet().toString());
    same.forEach(tensor -> assertEquals(own.tensors().get(tensor), trainer.get(tensor), tensor));
    Gathered again =
        Converting.between(temp.resolve("trainer"), temp.resolve("out")).base(hf).gather();

    assertEquals(back, again.prepared().mapping().orElseThrow().name());
    assertEquals(StoredTensors.of(expected(name)), again.tensors());
  }
}
