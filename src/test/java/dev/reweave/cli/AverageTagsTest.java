package dev.reweave.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.checkpoint.ReadOptions;
import dev.reweave.common.ReweaveException;
import dev.reweave.look.compare.Comparison;
import dev.reweave.look.compare.Diff;
import dev.reweave.look.compare.DiffRequest;
import dev.reweave.look.report.DiffCriterion;
import dev.reweave.look.report.DiffReport;
import dev.reweave.manifest.Manifest;
import dev.reweave.plan.PlanOptions;
import dev.reweave.plan.prepare.MappingChoice;
import dev.reweave.storage.Safeguards;
import dev.reweave.tensor.DType;
import dev.reweave.testing.Fixtures;
import dev.reweave.testing.Floats;
import dev.reweave.testing.Locations;
import dev.reweave.testing.SafetensorsFile;
import dev.reweave.testing.StoredTensors;
import dev.reweave.testing.TestSpark;
import dev.reweave.testing.VersionedFiles;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code --average-tags}: the mean of several steps of one run, in one pass. */
class AverageTagsTest {
  private static final String MODEL = "model.safetensors";
  private static final List<String> TAGS = List.of("global_step1", "global_step3", "my-tag 2");

  @TempDir Path temp;
  private Path input;

  @BeforeEach
  void copyInput() throws IOException {
    input = Fixtures.copy(Fixtures.folder("z2_bf16_w2_tags/ckpt"), temp.resolve("in"));
  }

  private static ConvertRun convert(Path from, Path to, Object... more) {
    List<Object> args = new ArrayList<>(List.of("-i", from, "-o", to));
    args.addAll(List.of(more));
    return ConvertRun.of(args.toArray());
  }

  private ConvertRun converted(String to, Object... more) {
    ConvertRun run = convert(input, temp.resolve(to), more);
    assertEquals(0, run.exitCode(), run::toString);
    return run;
  }

  private SafetensorsFile written(String name) throws IOException {
    return SafetensorsFile.read(temp.resolve(name).resolve(MODEL));
  }

  private Manifest manifest(String name) throws IOException {
    return Manifest.parse(
        Files.readAllBytes(temp.resolve(name).resolve(Manifest.FILE_NAME)), "manifest");
  }

  private static float[] mean(List<SafetensorsFile> steps, String name) {
    float[] mean = new float[steps.get(0).floats(name).length];
    for (int i = 0; i < mean.length; i++) {
      double sum = 0;
      for (SafetensorsFile step : steps) {
        sum += step.floats(name)[i];
      }
      mean[i] = (float) (sum / steps.size());
    }
    return mean;
  }

  private static void assertMean(List<SafetensorsFile> steps, SafetensorsFile result) {
    assertEquals(steps.get(0).names(), result.names());
    for (String name : result.names()) {
      assertArrayEquals(mean(steps, name), result.floats(name), name);
    }
  }

  private static List<SafetensorsFile> expected(List<String> tags) throws IOException {
    List<SafetensorsFile> steps = new ArrayList<>();
    for (String tag : tags) {
      String of = tag.equals("my-tag 2") ? "" : "." + tag;
      steps.add(
          SafetensorsFile.read(Fixtures.folder("z2_bf16_w2_tags/expected" + of + ".safetensors")));
    }
    return steps;
  }

  @Test
  void namedSteps() throws IOException {
    ConvertRun run = converted("out", "--average-tags", String.join(",", TAGS));

    assertMean(expected(TAGS), written("out"));
    assertTrue(
        run.out()
            .toString()
            .contains("the weights are the mean of 3 steps: global_step1, global_step3, my-tag 2"),
        run::toString);
    Manifest manifest = manifest("out");
    assertEquals(String.join(",", TAGS), manifest.options().text(ReadOptions.AVERAGE_TAGS));
    assertEquals("", manifest.input().tag());
    assertEquals(9, manifest.input().files().size());
    // Of each step as of one: its storages are checked, and its bytes read, once.
    converted("one", "--tag", TAGS.get(0), "--no-proof");
    Manifest one = manifest("one");
    assertEquals(
        3 * one.figures().storagesChecked(), manifest.figures().storagesChecked(), run::toString);
    assertEquals(3 * one.figures().bytesNeeded(), manifest.figures().bytesNeeded());
  }

  @Test
  void theLastOnesAreTakenByTheirNames() throws IOException {
    converted("out", "--average-tags", "last:2");

    assertMean(expected(TAGS.subList(1, 3)), written("out"));
    assertEquals("global_step3,my-tag 2", manifest("out").options().text(ReadOptions.AVERAGE_TAGS));

    // A later step does not change what is repeated.
    Fixtures.copy(input.resolve("global_step1"), input.resolve("step9"));
    ConvertRun again = ConvertRun.of("--again", temp.resolve("out"), "-o", temp.resolve("again"));
    assertEquals(0, again.exitCode(), again::toString);
    assertArrayEquals(
        Files.readAllBytes(temp.resolve("out").resolve(MODEL)),
        Files.readAllBytes(temp.resolve("again").resolve(MODEL)));
    assertTrue(
        converted("out", "--average-tags", "global_step3,my-tag 2")
            .out()
            .toString()
            .contains("up to date"));
  }

  @Test
  void inAnotherType() throws IOException {
    converted("wide", "--average-tags", "last:3");
    converted("narrow", "--average-tags", "last:3", "--dtype", "bfloat16");

    assertEquals(
        StoredTensors.of(temp.resolve("wide").resolve(MODEL), DType.BF16),
        StoredTensors.of(temp.resolve("narrow").resolve(MODEL)));
  }

  /** The mean of 16 bits has 32, whatever the steps have. */
  @Test
  void ofTheModulesOwnWeights() throws IOException {
    List<SafetensorsFile> steps = new ArrayList<>();
    for (String tag : TAGS) {
      converted(tag, "--tag", tag, "--weights", "model");
      steps.add(written(tag));
    }

    converted("out", "--average-tags", "last:3", "--weights", "model", "--dtype", "keep");

    assertMean(steps, written("out"));
  }

  /** Whatever cuts it into chunks and pieces, and whoever has the parts of a step. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "z1_bf16opt_w2",
        "z2_bf16_w2_tied",
        "z2_bf16_w2_frozen",
        "z2_fp32_w2_bn",
        "z3_bf16_w2_llama_tied",
        "z3_fp16_w3",
        "tp2_z1_fp16_w2",
        "tp2_z2_bf16_w4",
        "moe_z1_fp16_w2",
        "pipe_z1_bf16_pp2"
      })
  void theMeanOfOneStepTwiceIsThatStep(String fixture) throws IOException {
    Path root = Fixtures.copy(Fixtures.folder(fixture).resolve("ckpt"), temp.resolve("run"));
    String tag = Files.readString(root.resolve("latest")).strip();
    Fixtures.copy(root.resolve(tag), root.resolve("again"));

    Path rules = Fixtures.folder(fixture).resolve("mapping.json");
    String mapping = Files.exists(rules) ? Files.readString(rules) : "";
    assertMeanIsTheStep(root, tag, mapping);
    if (mapping.contains("replicated")) {
      // The mean of what the ranks of each step have, and then that of the steps.
      assertMeanIsTheStep(root, tag, mapping.replace("replicated", "averaged"));
    }
  }

  private void assertMeanIsTheStep(Path root, String tag, String mapping) throws IOException {
    Path rules = temp.resolve("mapping.json");
    Files.writeString(rules, mapping);
    Object by = mapping.isEmpty() ? "auto" : rules;
    ConvertRun one = convert(root, temp.resolve("one"), "--overwrite", "--mapping", by);
    assertEquals(0, one.exitCode(), one::toString);
    ConvertRun mean =
        convert(
            root,
            temp.resolve("mean"),
            "--average-tags",
            tag + ",again",
            "--overwrite",
            "--mapping",
            by);
    assertEquals(0, mean.exitCode(), mean::toString);
    assertEquals(weights(temp.resolve("one")), weights(temp.resolve("mean")));
  }

  private static String weights(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      List<String> all = new ArrayList<>();
      for (Path file : files.filter(f -> !f.endsWith(Manifest.FILE_NAME)).sorted().toList()) {
        all.add(file.getFileName() + " " + Fixtures.digest(Files.readAllBytes(file)));
      }
      return String.join("\n", all);
    }
  }

  private Path step(String tag, int stage, int world, Floats... weights) throws IOException {
    Path root = temp.resolve("made-" + tag);
    VersionedFiles files = new VersionedFiles(root, "0.19.6", stage, world).group(weights);
    files.write();
    Path run = Files.createDirectories(temp.resolve("run"));
    Files.move(files.folder(), run.resolve(tag));
    Files.writeString(run.resolve("latest"), tag);
    return run;
  }

  /** A run that went on with other ranks, and another stage. */
  @Test
  void stepsOfOtherRanks() throws IOException {
    List<SafetensorsFile> steps = new ArrayList<>();
    int[][] layouts = {{2, 3}, {3, 2}, {3, 5}};
    Path run = temp.resolve("run");
    for (int s = 0; s < layouts.length; s++) {
      run =
          step(
              "global_step" + s,
              layouts[s][0],
              layouts[s][1],
              Floats.random("embed.weight", s, 37, 11),
              Floats.random("norm.weight", 10 + s, 11));
    }
    for (int s = 0; s < layouts.length; s++) {
      ConvertRun one = convert(run, temp.resolve("one" + s), "--tag", "global_step" + s);
      assertEquals(0, one.exitCode(), one::toString);
      steps.add(written("one" + s).without(VersionedFiles.BUFFER));
    }

    ConvertRun mean = convert(run, temp.resolve("out"), "--average-tags", "last:3");

    assertEquals(0, mean.exitCode(), mean::toString);
    assertArrayEquals(
        VersionedFiles.bufferBytes(), written("out").content(VersionedFiles.BUFFER).array());
    assertMean(steps, written("out").without(VersionedFiles.BUFFER));
    assertTrue(
        mean.out()
            .toString()
            .contains("1 tensor without floating-point numbers as in global_step2: position_ids"),
        mean::toString);
  }

  @Test
  void stepsOfOtherModels() throws IOException {
    step("a", 2, 2, Floats.random("w", 1, 4, 3), Floats.random("x", 1, 5));
    step("b", 2, 2, Floats.random("w", 1, 3, 4), Floats.random("x", 1, 5));
    Path run = step("c", 2, 2, Floats.random("w", 1, 4, 3));

    assertRefused(
        convert(run, temp.resolve("out"), "--average-tags", "a,b"),
        "the steps a and b have no mean: w is F32 [4, 3] in a and F32 [3, 4] in b");
    assertRefused(
        convert(run, temp.resolve("out"), "--average-tags", "a,c"),
        "the steps a and c have no mean: x is in a alone");
    assertRefused(
        convert(run, temp.resolve("out"), "--average-tags", "c,a"),
        "the steps c and a have no mean: x is in a alone");
    assertFalse(Files.exists(temp.resolve("out")));
  }

  /** An average beside all steps is that of none of them. */
  @Test
  void stepsWithOneMovingAverage() throws IOException {
    Path average = Files.createDirectories(input.resolve("ema"));
    Files.copy(
        Fixtures.folder("z2_bf16_w2_tags").resolve("expected.safetensors"), average.resolve(MODEL));

    assertRefused(
        convert(input, temp.resolve("out"), "--average-tags", "last:2", "--weights", "ema"),
        "the steps global_step3 and my-tag 2 have no mean: both have their weights in " + MODEL);
  }

  private static void assertRefused(ConvertRun run, String message) {
    assertTrue(run.exitCode() != 0, run::toString);
    assertTrue(run.err().toString().contains(message), run::toString);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "global_step1 | 'global_step1' is not two or more tags",
        "global_step1,global_step1 | is not two or more tags",
        "last:1 | 'last:1' is not two or more tags",
        "last:4 | there are no 4 saved steps here, but 3: [global_step1, global_step3, my-tag 2]",
        "global_step1,global_step2 | there is no",
      })
  void whatIsNoSeveralSteps(String tags, String message) {
    assertRefused(convert(input, temp.resolve("out"), "--average-tags", tags), message);
  }

  @Test
  void besideOtherOptions() {
    assertRefused(
        convert(input, temp.resolve("out"), "--average-tags", "last:2", "--tag", "global_step1"),
        "--tag asks for one step, and --average-tags for several");
    assertRefused(
        convert(input, temp.resolve("out"), "--average-tags", "last:2", "--merge-adapter"),
        "a mean of products is no product of means");
    assertRefused(
        convert(input, temp.resolve("{tag}"), "--average-tags", "last:2"),
        "--average-tags makes one result of several steps: leave {tag} out of --output");
    ConvertRun proven = converted("proven", "--average-tags", "last:2", "--prove");
    assertTrue(proven.out().toString().contains("the mean is no step's"), proven::toString);
  }

  /** One that is damaged is found, whichever it is. */
  @ParameterizedTest
  @ValueSource(strings = {"global_step1", "my-tag 2"})
  void aDamagedStep(String tag) throws IOException {
    Path file = input.resolve(tag).resolve("bf16_zero_pp_rank_1_mp_rank_00_optim_states.pt");
    byte[] content = Files.readAllBytes(file);
    content[firstOfMasters(content, expected(List.of(tag)).get(0))] ^= 1;
    Files.write(file, content);

    ConvertRun run = convert(input, temp.resolve("out"), "--average-tags", "last:3");

    assertRefused(run, file.getFileName().toString());
    assertTrue(run.err().toString().contains("/" + tag + "/"), run::toString);
    assertFalse(Files.exists(temp.resolve("out").resolve(MODEL)));
  }

  /** Where a partition has the first numbers of a tensor. */
  private static int firstOfMasters(byte[] content, SafetensorsFile weights) {
    String bytes = new String(content, StandardCharsets.ISO_8859_1);
    return weights.names().stream()
        .map(name -> new String(weights.content(name).array(), 0, 8, StandardCharsets.ISO_8859_1))
        .mapToInt(bytes::indexOf)
        .filter(at -> at >= 0)
        .findFirst()
        .orElseThrow();
  }

  @Test
  void isComparedWithTheMeanAlone() {
    converted("out", "--average-tags", "last:2");

    ReweaveException refused =
        assertThrows(
            ReweaveException.class,
            () ->
                new Comparison(TestSpark.cluster(), TestSpark.stores())
                    .run(
                        Locations.of(temp.resolve("out")),
                        Locations.of(input),
                        Optional.empty(),
                        Safeguards.DEFAULT));
    assertEquals("nothing can be compared: this is the mean of several steps", refused.problem());
    assertTrue(refused.remedy().endsWith("--average-tags global_step3,my-tag 2"), refused::remedy);
    // As the message says.
    ReadOptions mean =
        ReadOptions.defaults().with(ReadOptions.AVERAGE_TAGS, Optional.of("global_step3,my-tag 2"));
    DiffReport report =
        new Diff(TestSpark.cluster(), TestSpark.stores())
            .run(
                new DiffRequest(
                    new DiffRequest.Side(Locations.of(input), mean, MappingChoice.AUTO),
                    DiffRequest.Side.of(Locations.of(temp.resolve("out"))),
                    PlanOptions.DEFAULTS,
                    DiffCriterion.STRICT));
    assertTrue(report.isEqual(), report::summary);
  }
}
