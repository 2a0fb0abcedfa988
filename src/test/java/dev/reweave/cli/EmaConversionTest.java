package dev.reweave.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.reweave.checkpoint.ReadOptions;
import dev.reweave.manifest.Manifest;
import dev.reweave.testing.Fixtures;
import dev.reweave.testing.StoredTensors;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** Moving averages that diffusers and a training script in the manner of DiT's have saved. */
class EmaConversionTest {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String WEIGHTS = "diffusion_pytorch_model.safetensors";
  private static final Set<String> OF_AVERAGES =
      Set.of(
          "decay",
          "inv_gamma",
          "min_decay",
          "optimization_step",
          "power",
          "update_after_step",
          "use_ema_warmup");

  @TempDir Path temp;
  private Path of;
  private Path step;

  @BeforeEach
  void copy() throws IOException {
    of = Fixtures.resource("trainers/ema-diffusers-zero2");
    step = Fixtures.copy(of.resolve("ckpt/checkpoint-500"), temp.resolve("checkpoint-500"));
  }

  private static void convert(Object... args) {
    ConvertRun run = ConvertRun.of(args);
    assertEquals(0, run.exitCode(), run::toString);
  }

  private void assertAverage(Path written) throws IOException {
    assertEquals(
        StoredTensors.of(of.resolve("expected_ema.safetensors")), StoredTensors.of(written));
  }

  private static Set<String> keys(Path config) throws IOException {
    Set<String> keys = new TreeSet<>();
    JSON.readTree(config.toFile()).fieldNames().forEachRemaining(keys::add);
    return keys;
  }

  /** Converts an average, and wants to be told of the model beside it. */
  private ConvertRun convertAverage(Path input, Path out, String left) throws IOException {
    ConvertRun run = ConvertRun.of("-i", input, "-o", out, "--weights", "ema");

    assertEquals(0, run.exitCode(), run::toString);
    assertAverage(out.resolve(WEIGHTS));
    assertTrue(
        run.out().stream()
            .anyMatch(
                line ->
                    line.startsWith("left   " + left + ", ")
                        && line.endsWith("not read: leave --weights out to convert it")),
        run::toString);
    return run;
  }

  @Test
  void aFolderBesideTheStep() throws IOException {
    Path out = temp.resolve("out");
    ConvertRun run = convertAverage(step, out, "checkpoint-500");
    assertTrue(
        run.out().toString().contains("the weights are the moving average in transformer_ema"),
        run::toString);
    Manifest manifest =
        Manifest.parse(Files.readAllBytes(out.resolve(Manifest.FILE_NAME)), "manifest");
    assertEquals("ema", manifest.options().text(ReadOptions.WEIGHTS));

    convert("--again", out, "-o", temp.resolve("again"));
    assertArrayEquals(
        Files.readAllBytes(out.resolve(WEIGHTS)),
        Files.readAllBytes(temp.resolve("again").resolve(WEIGHTS)));
  }

  /** What diffusers loads needs a config, in which the average's own numbers have no place. */
  @Test
  void theConfigComesAsThatOfAModel() throws IOException {
    convert("-i", step, "-o", temp.resolve("out"), "--weights", "ema");

    Set<String> all = keys(step.resolve("transformer_ema/config.json"));
    assertTrue(all.containsAll(OF_AVERAGES));
    all.removeAll(OF_AVERAGES);
    assertEquals(all, keys(temp.resolve("out/config.json")));
  }

  @Test
  void inShardsAndTorchFiles() throws IOException {
    Path average = step.resolve("transformer_ema");
    convert(
        "-i", average, "-o", temp.resolve("sharded"), "--max-shard-size", "4KB", "--dtype", "keep");
    convert("-i", average, "-o", temp.resolve("bin"), "--format", "bin");
    for (String form : List.of("sharded", "bin")) {
      Fixtures.remove(average);
      Fixtures.copy(temp.resolve(form), average);
      Files.delete(average.resolve(Manifest.FILE_NAME));
      Path out = temp.resolve("out-" + form);

      convert("-i", step, "-o", out, "--weights", "ema");

      assertAverage(out.resolve(WEIGHTS));
    }
  }

  @Test
  void intoAPipeline() throws IOException {
    Path base = temp.resolve("base");
    Files.createDirectories(base.resolve("transformer"));
    Files.createDirectories(base.resolve("scheduler"));
    Files.writeString(
        base.resolve("model_index.json"),
        "{\"_class_name\": \"DiTPipeline\", \"transformer\": [\"diffusers\","
            + " \"DiTTransformer2DModel\"], \"scheduler\": [\"diffusers\", \"DDIMScheduler\"]}");
    Files.writeString(base.resolve("scheduler/scheduler_config.json"), "{}");
    Files.copy(of.resolve("expected.safetensors"), base.resolve("transformer").resolve(WEIGHTS));
    ObjectNode config =
        (ObjectNode) JSON.readTree(step.resolve("transformer_ema/config.json").toFile());
    config.remove(OF_AVERAGES);
    JSON.writeValue(base.resolve("transformer/config.json").toFile(), config);

    Path out = temp.resolve("out");
    convert(
        "-i", step, "-o", out, "--weights", "ema", "--base", base, "--component", "transformer");

    assertAverage(out.resolve("transformer").resolve(WEIGHTS));
    assertTrue(Files.exists(out.resolve("model_index.json")));
    assertEquals((JsonNode) config, JSON.readTree(out.resolve("transformer/config.json").toFile()));

    // The folder of the average as the base: its numbers do not come along.
    Path like = temp.resolve("like");
    convert("-i", step, "-o", like, "--base", step.resolve("transformer_ema"));
    assertEquals(
        StoredTensors.of(of.resolve("expected.safetensors")),
        StoredTensors.of(like.resolve(WEIGHTS)));
    Set<String> kept = keys(like.resolve("config.json"));
    assertTrue(kept.stream().noneMatch(OF_AVERAGES::contains), kept::toString);
  }

  @Test
  void toldBesideTheTrainedModel() throws IOException {
    String told =
        "transformer_ema, 25 tensors, not read: --weights ema takes it in place of the model";
    ConvertRun run = ConvertRun.of("-i", step, "-o", temp.resolve("out"));

    assertEquals(0, run.exitCode(), run::toString);
    assertEquals(
        StoredTensors.of(of.resolve("expected.safetensors")),
        StoredTensors.of(temp.resolve("out/model.safetensors")));
    assertTrue(run.out().contains("left   " + told), run::toString);
    assertTrue(inspected(step).contains(told), () -> inspected(step));
  }

  private static String inspected(Path address) {
    StringWriter out = new StringWriter();
    int code =
        Main.run(
            new PrintWriter(out, true),
            new PrintWriter(out, true),
            CommandLine.defaultFactory(),
            new String[] {"inspect", address.toString()});
    assertEquals(0, code, out::toString);
    return out.toString();
  }

  @Test
  void averagesOfTwoModels() throws IOException {
    Fixtures.copy(step.resolve("transformer_ema"), step.resolve("ema_text_encoder"));

    ConvertRun run = ConvertRun.of("-i", step, "-o", temp.resolve("out"), "--weights", "ema");

    assertEquals(1, run.exitCode(), run::toString);
    assertTrue(
        run.err()
            .toString()
            .contains("averages of several models here: ema_text_encoder, transformer_ema"),
        run::toString);
    assertFalse(Files.exists(temp.resolve("out")));
    convert("-i", step.resolve("transformer_ema"), "-o", temp.resolve("out"));
    assertAverage(temp.resolve("out").resolve(WEIGHTS));
  }

  /** Without DeepSpeed, accelerate leaves nothing but folders and the optimizer's state. */
  @Test
  void withoutAStepOfDeepSpeed() throws IOException {
    Fixtures.remove(step.resolve("pytorch_model"));
    Files.delete(step.resolve("latest"));

    convert("-i", step, "-o", temp.resolve("out"), "--weights", "ema");

    assertAverage(temp.resolve("out").resolve(WEIGHTS));
  }

  /** The average can lie in the folder of the step itself. */
  @Test
  void insideTheFolderOfTheTag() throws IOException {
    Files.move(step.resolve("transformer_ema"), step.resolve("pytorch_model/transformer_ema"));

    convert("-i", step, "-o", temp.resolve("out"), "--weights", "ema");
    assertAverage(temp.resolve("out").resolve(WEIGHTS));
    convert("-i", step.resolve("pytorch_model"), "-o", temp.resolve("tag"), "--weights", "ema");
    assertAverage(temp.resolve("tag").resolve(WEIGHTS));
  }

  /** Of the run's newest step it is the average; of another it is not. */
  @Test
  void besideTheFolderOfATagThatIsNamedItself() throws IOException {
    Path tag = step.resolve("pytorch_model");
    Path out = temp.resolve("out");
    var unused = convertAverage(tag, out, "pytorch_model");
    convert("-i", tag, "-o", temp.resolve("model"));
    assertEquals(
        StoredTensors.of(of.resolve("expected.safetensors")),
        StoredTensors.of(temp.resolve("model/model.safetensors")));

    Path first = Files.move(tag, step.resolve("global_step1"));
    Path later = Fixtures.copy(first, step.resolve("global_step2"));
    Files.writeString(step.resolve("latest"), "global_step2");
    convert("-i", later, "-o", temp.resolve("later"), "--weights", "ema");
    assertAverage(temp.resolve("later").resolve(WEIGHTS));
    ConvertRun earlier = ConvertRun.of("-i", first, "-o", temp.resolve("no"), "--weights", "ema");
    assertEquals(1, earlier.exitCode(), earlier::toString);
    assertFalse(Files.exists(temp.resolve("no")));
  }

  @Test
  void besideTheModelInOneFile() throws IOException {
    Path dit = Fixtures.resource("trainers/ema-dit-pt");
    Path file = dit.resolve("ckpt/checkpoints/0000002.pt");

    convert("-i", file, "-o", temp.resolve("ema"), "--weights", "ema");
    convert("-i", file, "-o", temp.resolve("model"));

    for (String weights : List.of("ema", "model")) {
      String expected = weights.equals("ema") ? "expected_ema.safetensors" : "expected.safetensors";
      assertEquals(
          StoredTensors.of(dit.resolve(expected)),
          StoredTensors.of(temp.resolve(weights).resolve("model.safetensors")));
    }
    assertTrue(inspected(file).contains("--weights ema takes it in place of the model"));
    try (Stream<Path> written = Files.list(temp.resolve("ema"))) {
      assertEquals(2, written.count());
    }
  }
}
