package dev.reweave.target.mapping;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.testing.Converting;
import dev.reweave.testing.Fixtures;
import dev.reweave.testing.Gathered;
import dev.reweave.testing.StoredTensors;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Models that transformers 5.24 trained under its in-memory names, with a base that has the Hub's.
 *
 * <p>The expected tensors are those that {@code save_pretrained} wrote of the same models. Two are
 * DeepSpeed checkpoints. The others are random weights in bfloat16: {@code memory.safetensors} is
 * {@code model.state_dict()}. Qwen3-MoE there has a dense layer ({@code mlp_only_layers}), 11
 * experts and a tied output layer; DeepSeek-V3 a dense layer ({@code first_k_dense_replace}),
 * shared experts and {@code e_score_correction_bias}.
 */
class HubNamesTest {
  @TempDir Path temp;

  private static Path fixture(String name) {
    return Fixtures.resource("deepspeed-0.19.8/hub-names-" + name);
  }

  private Path output() {
    return temp.resolve("out");
  }

  private static Map<String, String> expected(String name) throws IOException {
    return StoredTensors.of(fixture(name).resolve("expected.safetensors"));
  }

  private static Converting converting(String name, String input, Path output) {
    return Converting.between(fixture(name).resolve(input), output)
        .base(fixture(name).resolve("hf"))
        .type("bfloat16");
  }

  @ParameterizedTest
  @CsvSource({
    "mixtral-z3, ckpt, transformers-mixtral",
    "qwen2vl-z2, ckpt, transformers-qwen2-vl",
    "qwen3moe, memory.safetensors, transformers-moe",
    "deepseek-v3, memory.safetensors, transformers-moe"
  })
  void givesWhatSavePretrainedWrites(String name, String input, String mapping) throws IOException {
    Gathered gathered = converting(name, input, output()).gather();

    assertEquals(expected(name), gathered.tensors());
    assertEquals(mapping, gathered.prepared().mapping().orElseThrow().name());
  }

  @ParameterizedTest
  @CsvSource({"qwen3moe", "deepseek-v3"})
  void namesStayWithoutABase(String name) throws IOException {
    Path memory = fixture(name).resolve("memory.safetensors");

    Gathered gathered = Converting.between(memory, output()).type("keep").gather();

    assertEquals(StoredTensors.of(memory), gathered.tensors());
    assertTrue(gathered.prepared().mapping().isEmpty());
  }

  @Test
  void namesStayWhereTheBaseHasThemToo() throws IOException {
    Path memory = fixture("qwen3moe").resolve("memory.safetensors");
    Path base = Files.createDirectories(temp.resolve("base"));
    Files.copy(memory, base.resolve("model.safetensors"));
    Files.copy(fixture("qwen3moe").resolve("hf/config.json"), base.resolve("config.json"));

    Gathered gathered = Converting.between(memory, output()).base(base).gather();

    assertEquals(StoredTensors.of(memory), gathered.tensors());
    assertTrue(gathered.prepared().mapping().isEmpty());
  }

  @Test
  void theMappingCanBeNamedWithoutABase() throws IOException {
    Converting converting =
        Converting.between(fixture("deepseek-v3").resolve("memory.safetensors"), output())
            .mapping("transformers-moe")
            .type("keep");

    assertEquals(expected("deepseek-v3"), converting.gather().tensors());
  }

  @ParameterizedTest
  @CsvSource({"qwen3moe", "deepseek-v3"})
  void thereAndBackAreTheSameBits(String name) throws IOException {
    Path rules =
        Files.writeString(
            temp.resolve("back.json"),
            """
            {"name": "back", "description": "the names in memory", "rules": [
             {"match": "(.*\\\\.experts)\\\\.(\\\\d+)\\\\.(gate|up)_proj\\\\.weight",
              "stack": {"to": "$1.gate_up_proj", "dim": 0, "index": "$2",
               "join": {"dim": 0, "part": "$3", "order": ["gate", "up"]}}},
             {"match": "(.*\\\\.experts)\\\\.(?<n>\\\\d+)\\\\.down_proj\\\\.weight",
              "stack": {"to": "$1.down_proj", "dim": 0, "index": "${n}"}},
             {"match": ".*", "rename": "$0"}]}
            """);

    Converting converting =
        Converting.between(fixture(name).resolve("expected.safetensors"), output())
            .mapping(rules.toString())
            .type("keep");

    assertEquals(
        StoredTensors.of(fixture(name).resolve("memory.safetensors")),
        converting.gather().tensors());
  }

  /** The module's own weights get the names that the masters have got. */
  @Test
  void theSecondCopyHasTheSameNames() {
    Gathered gathered = converting("qwen2vl-z2", "ckpt", output()).proving().gather();

    assertEquals(34, gathered.proof().orElseThrow().tensors());
    assertEquals(
        List.of(), gathered.notes().stream().filter(n -> n.startsWith("--prove: not")).toList());
  }
}
