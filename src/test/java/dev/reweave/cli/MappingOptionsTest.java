package dev.reweave.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.reweave.convert.Conversion;
import dev.reweave.tensor.DType;
import dev.reweave.tensor.Shape;
import dev.reweave.testing.Fixtures;
import dev.reweave.testing.PickleWriter;
import dev.reweave.testing.StorageContent;
import dev.reweave.testing.StoredTensors;
import dev.reweave.testing.TensorValue;
import dev.reweave.testing.TestSpark;
import dev.reweave.testing.TorchZipWriter;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;

/** What the command line says of names, bases and trials. */
class MappingOptionsTest {
  @TempDir Path temp;
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  private int run(String... args) {
    return Main.run(new PrintWriter(out, true), new PrintWriter(err, true), args);
  }

  /** As {@code convert} does it, in the Spark that the tests share. */
  private Conversion.Outcome convert(String... args) {
    ConvertCommand command = new ConvertCommand();
    new CommandLine(command).setCaseInsensitiveEnumValuesAllowed(true).parseArgs(args);
    return new Conversion(TestSpark.cluster(), TestSpark.stores()).run(Asked.of(command));
  }

  private static String sat() {
    return Fixtures.folder("sat_z2_bf16_w2").resolve("ckpt").toString();
  }

  @Test
  void inspectShowsOldAndNewNames() {
    assertEquals(0, run("inspect", sat(), "--mapping", "auto"), err::toString);

    List<String> lines = out.toString().lines().map(l -> l.replaceAll("\\s+", " ")).toList();
    String block = "model.diffusion_model.transformer.layers.0.";
    for (String expected :
        List.of(
            block
                + "attention.query_key_value.weight transformer_blocks.0.attn1.to_k.weight"
                + " [16, 16]",
            block + "mlp.dense_4h_to_h.weight transformer_blocks.0.ff.net.2.weight [16, 64]",
            "model.diffusion_model.mixins.pos_embed.freqs_cos (left out) [4, 4]")) {
      assertTrue(lines.contains(expected), () -> expected + " is not in\n" + out);
    }
  }

  @Test
  void inspectTellsTheSameAsJson() throws IOException {
    assertEquals(0, run("inspect", sat(), "--mapping", "auto", "--json"), err::toString);

    JsonNode mapped = new ObjectMapper().readTree(out.toString()).get("mapped");
    // 2 layers: 2 tensors are cut in 3, 2 in 2; three are left out
    assertEquals(55 + 2 * (2 * 2 + 2), mapped.size());
  }

  @Test
  void inspectShowsAllComponentsOfAPipeline() throws IOException {
    String pipeline = Fixtures.folder("base_pipeline").toString();

    assertEquals(0, run("inspect", pipeline, "--json"), err::toString);

    JsonNode tensors = new ObjectMapper().readTree(out.toString()).get("tensors");
    TreeSet<String> files = new TreeSet<>();
    tensors.forEach(t -> files.add(t.get("file").asText()));
    assertEquals(
        List.of(
            "transformer/diffusion_pytorch_model.safetensors",
            "vae/diffusion_pytorch_model.safetensors"),
        List.copyOf(files));
  }

  private Path lora(int layers, int rank) throws IOException {
    List<Object> entries = new ArrayList<>();
    long offset = 0;
    for (int l = 0; l < layers; l++) {
      for (String linear : List.of("query_key_value", "dense")) {
        int matrices = linear.equals("dense") ? 1 : 3;
        for (int m = 0; m < matrices; m++) {
          String name = "model.diffusion_model.transformer.layers." + l + ".attention." + linear;
          entries.add(name + ".matrix_A." + m);
          entries.add(view(offset, rank, 8));
          entries.add(name + ".matrix_B." + m);
          entries.add(view(offset + rank * 8L, 8, rank));
          offset += rank * 16L;
        }
      }
    }
    entries.add("model.diffusion_model.transformer.layers.0.attention.dense.original.weight");
    entries.add(view(0, 8, 8));
    Path file = temp.resolve("mp_rank_00_model_states.pt");
    TorchZipWriter.write(
        file,
        PickleWriter.dict("module", PickleWriter.dict(entries.toArray())),
        List.of(
            new StorageContent(
                DType.F32,
                ELEMENTS,
                (position, block, length) -> {
                  for (int i = 0; i < length; i++) {
                    block[i] = (byte) ((position + i) % 61);
                  }
                })));
    return file;
  }

  private static final long ELEMENTS = 10_000;

  private static TensorValue view(long offset, long rows, long columns) {
    return new TensorValue(
        "0", "FloatStorage", ELEMENTS, offset, Shape.of(rows, columns), List.of(columns, 1L));
  }

  @ParameterizedTest
  @CsvSource({"1, 4", "3, 16"})
  void satAdaptersBecomeWhatDiffusersLoads(int layers, int rank) throws IOException {
    Path output = temp.resolve("out");

    convert("-i", lora(layers, rank).toString(), "-o", output.toString());

    Map<String, String> tensors =
        StoredTensors.of(output.resolve("pytorch_lora_weights.safetensors"));
    TreeSet<String> expected = new TreeSet<>();
    for (int l = 0; l < layers; l++) {
      for (String linear : List.of("to_q", "to_k", "to_v", "to_out.0")) {
        for (String matrix : List.of("lora_A", "lora_B")) {
          expected.add(
              "transformer.transformer_blocks."
                  + l
                  + ".attn1."
                  + linear
                  + "."
                  + matrix
                  + ".weight");
        }
      }
    }
    assertEquals(expected, tensors.keySet());
    assertTrue(
        tensors
            .get("transformer.transformer_blocks.0.attn1.to_v.lora_A.weight")
            .startsWith("F32 [" + rank + ", 8]"));
  }

  @Test
  void aMappingOfOnesOwn() throws IOException {
    Path mapping = temp.resolve("mine.json");
    Files.writeString(
        mapping,
        """
        {"name": "mine", "description": "q, k and v together", "rules": [
          {"match": "(.*attn1)\\\\.to_(q|k|v)\\\\.(weight|bias)",
           "join": {"to": "$1.qkv.$3", "dim": 0, "part": "$2", "order": ["q", "k", "v"]}},
          {"match": "(.*)", "rename": "net.$1"}]}
        """);
    Path input = Fixtures.folder("cog_z3_bf16_w2").resolve("ckpt");

    convert(
        "-i",
        input.toString(),
        "-o",
        temp.resolve("out").toString(),
        "--mapping",
        mapping.toString());
    convert("-i", input.toString(), "-o", temp.resolve("plain").toString());

    Map<String, String> mapped = StoredTensors.of(temp.resolve("out/model.safetensors"));
    Map<String, String> plain = new TreeMap<>();
    StoredTensors.of(temp.resolve("plain/model.safetensors"))
        .forEach(
            (name, tensor) -> {
              if (!name.matches(".*attn1\\.to_[qkv]\\..*")) {
                plain.put("net." + name, tensor);
              }
            });
    TreeMap<String, String> rest = new TreeMap<>(mapped);
    rest.keySet().removeIf(name -> name.contains(".qkv."));
    assertEquals(plain, rest);
    assertTrue(
        mapped.get("transformer_blocks.1.attn1.qkv.weight").startsWith("F32 [48, 16]"),
        mapped::toString);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "convert -o o | --input is needed",
        "convert -i i | --output is needed",
        "convert -i i -o o --component vae | say something of --base",
        "convert -i i -o o --sample 0% | is not a percentage above 0",
        "convert -i i -o o --sample 101% | is not a percentage above 0",
        "convert -i i -o o --only ( | is no regular expression",
        "convert -i i -o o --dtype int8 | is not one of float32, bfloat16, float16, keep, like-base",
        "convert -i i -o o --max-bandwidth 0 | is not a size",
        "convert -i i -o o --max-bandwidth fast | is not a size",
        "convert -i i -o o --shards some | is not one of by-size, like-base",
        "convert --again x.json --dtype keep | --dtype is what --again takes from the manifest",
      })
  void wrongUsage(String command, String message) {
    assertEquals(2, run(command.split(" ", -1)));
    assertTrue(err.toString().contains(message), err::toString);
  }

  @Test
  void aReportOfABugCanStandBesideARepetition() {
    Path report = temp.resolve("bug.json");

    assertEquals(
        1, run("convert", "--again", temp + "/reweave.json", "--report-bug", report.toString()));

    assertTrue(Files.exists(report), err::toString);
  }

  @Test
  void nothingToRepeat() {
    String manifest = temp.resolve("reweave.json").toString();

    assertEquals(1, run("convert", "--again", manifest));

    assertTrue(err.toString().contains("no manifest is there"), err::toString);
    assertFalse(Files.exists(temp.resolve("reweave.json")));
  }
}
