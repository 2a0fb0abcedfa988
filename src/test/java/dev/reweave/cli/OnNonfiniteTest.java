package dev.reweave.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.reweave.manifest.Manifest;
import dev.reweave.manifest.WrittenTensor;
import dev.reweave.testing.Fixtures;
import dev.reweave.testing.FlatGroup;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What {@code --on-nonfinite} does with NaNs and infinities in one of several saved steps. */
class OnNonfiniteTest {
  private static final String ILL = "global_step3";
  private static final String OPTIMIZER = "bf16_zero_pp_rank_%d_mp_rank_00_optim_states.pt";
  private static final String NANS = "warning 2 values of 1 tensor are NaN: layers.0.weight (2)";
  private static final String INFINITIES =
      "warning 1 value of 1 tensor is infinite in the checkpoint: norms.1.bias (1)";
  private static final String REMEDY =
      "; take an earlier saved step, or convert all the same with --on-nonfinite warn";

  @TempDir Path temp;
  private Path input;
  private Path output;

  @BeforeEach
  void plant() throws IOException {
    input = Fixtures.copy(Fixtures.folder("z2_bf16_w2_tags/ckpt"), temp.resolve("in"));
    output = temp.resolve("out");
    FlatGroup group = FlatGroup.of(input.resolve(ILL)).get(0);
    List<byte[]> contents = group.read();
    ByteBuffer.wrap(contents.get(0)).order(ByteOrder.LITTLE_ENDIAN).putInt(8, -1).putInt(16, -1);
    byte[] last = contents.get(contents.size() - 1);
    ByteBuffer.wrap(last).order(ByteOrder.LITTLE_ENDIAN).putInt(last.length - 4, 0x7f800000);
    group.write(contents);
  }

  private ConvertRun convert(String mode, Object... more) {
    List<Object> args = new ArrayList<>(List.of("-i", input, "-o", output, "--tag", ILL));
    // The module has none of them.
    args.addAll(List.of("--no-proof", "--dtype", "bfloat16", "--on-nonfinite", mode));
    args.addAll(List.of(more));
    return ConvertRun.of(args.toArray());
  }

  /** Of a run that made the weights, which knows where they came from. */
  private String refusal() {
    return "reweave: the weights are not sound: 3 values of 2 tensors are not finite:"
        + " layers.0.weight (2 NaN; the first is element 2, of "
        + OPTIMIZER.formatted(0)
        + "), norms.1.bias (1 infinite; the first is element 1, of "
        + OPTIMIZER.formatted(1)
        + "): file:"
        + input.resolve(ILL)
        + REMEDY;
  }

  private static String refusal(Path result) {
    return "reweave: the weights are not sound: 3 values of 2 tensors are not finite:"
        + " layers.0.weight (2 NaN), norms.1.bias (1 infinite): file:"
        + result
        + REMEDY;
  }

  private static List<String> warnings(ConvertRun run) {
    return run.out().stream().filter(l -> l.startsWith("warning")).toList();
  }

  @Test
  void failEndsItBeforeAnythingIsVisible() {
    ConvertRun run = convert("fail");

    assertEquals(1, run.exitCode());
    assertEquals(List.of(refusal()), run.err());
    assertEquals(List.of(), run.out());
    assertFalse(Files.exists(output));
  }

  @Test
  void failLeavesAnEarlierResultAsItIs() throws IOException {
    assertEquals(0, ConvertRun.of("-i", input, "-o", output, "--tag", "global_step1").exitCode());
    Map<String, String> made = Fixtures.digests(output);

    ConvertRun run = convert("fail", "--overwrite");

    assertEquals(List.of(refusal()), run.err());
    assertEquals(made, Fixtures.digests(output));
  }

  @Test
  void soundWeightsPass() {
    ConvertRun run =
        ConvertRun.of("-i", input, "-o", output, "--tag", "global_step1", "--on-nonfinite=fail");

    assertEquals(0, run.exitCode(), run::toString);
    assertEquals(List.of(), warnings(run));
  }

  @Test
  void warnTellsAndConverts() throws IOException {
    ConvertRun run = convert("warn");

    assertEquals(0, run.exitCode(), run::toString);
    assertEquals(List.of(NANS, INFINITIES), warnings(run));
    assertEquals(3, nonfinite());
  }

  @Test
  void ignoreTellsNothingButTheManifestDoes() throws IOException {
    ConvertRun run = convert("ignore");

    assertEquals(0, run.exitCode(), run::toString);
    assertEquals(List.of(), warnings(run));
    assertEquals(3, nonfinite());
  }

  private long nonfinite() throws IOException {
    Path file = output.resolve(Manifest.FILE_NAME);
    return Manifest.parse(Files.readAllBytes(file), "manifest").result().weights().stream()
        .mapToLong(WrittenTensor::nonfinite)
        .sum();
  }

  @Test
  void aFinishedResultIsNotUpToDateForWhoeverWantsFiniteOnes() throws IOException {
    assertEquals(0, convert("warn").exitCode());
    Map<String, String> made = Fixtures.digests(output);

    ConvertRun fail = convert("fail");
    ConvertRun again =
        ConvertRun.of("--again", output.resolve(Manifest.FILE_NAME), "--on-nonfinite", "fail");
    ConvertRun warn = convert("warn");

    assertEquals(1, fail.exitCode());
    assertEquals(List.of(refusal(output)), fail.err());
    assertEquals(1, again.exitCode());
    assertEquals(List.of(refusal(output)), again.err());
    assertEquals(0, warn.exitCode());
    assertTrue(warn.out().get(0).startsWith("up to date"), warn::toString);
    assertEquals(made, Fixtures.digests(output));
  }

  @Test
  void oneOfAllStepsFailsAlone() {
    ConvertRun run =
        ConvertRun.of(
            "--no-proof", "-i", input, "-o", output + "/{tag}", "--tag=all", "--on-nonfinite=fail");

    assertEquals(1, run.exitCode());
    assertTrue(run.out().contains("3 conversions: 2 converted, 0 up to date, 1 failed"));
    assertTrue(run.table().get(1).startsWith("failed global_step3 "), run::toString);
    assertTrue(Files.exists(output.resolve("global_step1/model.safetensors")));
    assertFalse(Files.exists(output.resolve(ILL)));
  }

  @Test
  void aFinishedStepIsLookedAtAgain() {
    String[] steps = {
      "--no-proof", "-i", input.toString(), "-o", output + "/{tag}", "--tag", "new"
    };
    assertEquals(0, ConvertRun.of((Object[]) steps).exitCode());

    List<Object> args = new ArrayList<>(List.of((Object[]) steps));
    args.add("--on-nonfinite=fail");
    ConvertRun run = ConvertRun.of(args.toArray());

    assertEquals(1, run.exitCode());
    assertTrue(run.out().contains("3 conversions: 0 converted, 2 up to date, 1 failed"));
    assertEquals(List.of(refusal(output.resolve(ILL))), run.err());
  }

  @Test
  void schedulersReadCounts() throws IOException {
    ConvertRun run = convert("ignore", "--json");

    JsonNode line = new ObjectMapper().readTree(run.out().get(0));
    assertEquals(2, line.get("nans").intValue());
    assertEquals(1, line.get("infinities").intValue());
    assertEquals(0, line.get("overflows").intValue());
    assertEquals(0, line.get("underflows").intValue());
  }

  @Test
  void schedulersReadWhatKindOfFailureItIs() throws IOException {
    JsonNode error =
        new ObjectMapper().readTree(convert("fail", "--json").out().get(0)).get("error");

    assertEquals("weights", error.get("kind").textValue());
    assertEquals("file:" + input.resolve(ILL), error.get("place").textValue());
  }

  @Test
  void linesOfAListChooseForThemselves() throws IOException {
    Path list = temp.resolve("list.jsonl");
    String line = "{\"input\": \"%s\", \"tag\": \"%s\", \"output\": \"%s\"%s}%n";
    Files.writeString(
        list,
        line.formatted(input, ILL, temp.resolve("a"), "")
            + line.formatted(input, ILL, temp.resolve("b"), ", \"on-nonfinite\": \"ignore\"")
            + line.formatted(input, ILL, temp.resolve("c"), ", \"on-nonfinite\": \"fail\""));

    ConvertRun run = ConvertRun.of("--list", list, "--no-proof", "--dtype", "bfloat16");

    assertEquals(1, run.exitCode());
    assertEquals(List.of(NANS, INFINITIES), warnings(run));
    assertTrue(run.out().contains("3 conversions: 2 converted, 0 up to date, 1 failed"));
    assertFalse(Files.exists(temp.resolve("c")));
  }

  @Test
  void aSampleTellsWhatItSaw() {
    ConvertRun warn = convert("warn", "--sample", "100%");
    ConvertRun ignore = convert("ignore", "--sample", "100%");
    ConvertRun fail = convert("fail", "--sample", "100%");

    assertEquals(List.of(NANS, INFINITIES), warnings(warn));
    assertEquals(0, warn.exitCode());
    assertEquals(List.of(), warnings(ignore));
    assertEquals(1, fail.exitCode());
    assertEquals(List.of(refusal()), fail.err());
    assertFalse(Files.exists(output));
  }

  @Test
  void whatTheCastMadeInfiniteIsRefusedToo() throws IOException {
    FlatGroup group = FlatGroup.of(input.resolve("global_step1")).get(0);
    List<byte[]> contents = group.read();
    ByteBuffer.wrap(contents.get(0)).order(ByteOrder.LITTLE_ENDIAN).putFloat(0, 70_000);
    group.write(contents);

    ConvertRun run =
        ConvertRun.of(
            "-i",
            input,
            "-o",
            output,
            "--tag=global_step1",
            "--dtype=float16",
            "--on-nonfinite=fail");

    assertEquals(
        List.of(
            "reweave: the weights are not sound: 1 value of 1 tensor is not finite:"
                + " layers.0.weight (1 made infinite by the cast; the first is element 0, of "
                + OPTIMIZER.formatted(0)
                + "): file:"
                + input.resolve("global_step1")
                + "; cast to a type that holds them (--dtype bfloat16, float32); "
                + REMEDY.substring(2)),
        run.err());
  }
}
