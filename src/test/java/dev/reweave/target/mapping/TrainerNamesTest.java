package dev.reweave.target.mapping;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.checkpoint.ReadOptions;
import dev.reweave.checkpoint.Weights;
import dev.reweave.common.ReweaveException;
import dev.reweave.testing.Converting;
import dev.reweave.testing.Fixtures;
import dev.reweave.testing.Gathered;
import dev.reweave.testing.StoredTensors;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
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

  /** Without a base the numbers are those that the trainer stored. */
  @ParameterizedTest
  @CsvSource({"megatron-016-llama-tp2", "megatron-llama-tied-tp2"})
  void theTrainersNumbersAreEnough(String name) throws IOException {
    assertEquals(
        StoredTensors.of(expected(name)),
        converting(name).mapping("megatron-llama").gather().tensors());
  }

  @Test
  void namesStayWithoutABase() {
    Gathered gathered = converting("megatron-016-llama-tp2").gather();

    assertTrue(gathered.prepared().mapping().isEmpty());
    assertTrue(gathered.names().contains("decoder.layers.self_attention.linear_qkv.weight"));
    assertTrue(
        gathered
            .notes()
            .contains(
                "names as they are stored: megatron-llama, megatron-mixtral, megatron-qwen2,"
                    + " megatron-qwen3, megatron-qwen3-moe would give those of transformers; a --base"
                    + " with the model's config.json tells which"),
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
}
