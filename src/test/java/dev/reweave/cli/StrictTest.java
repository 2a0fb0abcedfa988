package dev.reweave.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.reweave.checkpoint.Unfamiliar;
import dev.reweave.manifest.Manifest;
import dev.reweave.testing.Fixtures;
import dev.reweave.testing.Floats;
import dev.reweave.testing.VersionedFiles;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Checkpoints of which not everything is known: told by default, refused with {@code --strict}. */
class StrictTest {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String KEY =
      "unknown key 'param_tile_order' in optimizer_state_dict, which may change where weights lie";
  private static final String VERSION = "written by DeepSpeed 0.20.1; tested up to 0.19.8";
  private static final String COMPARE =
      "compare some tensors of the result with those of DeepSpeed's zero_to_fp32.py";
  private static final String REFUSES = "; --strict refuses such a checkpoint";

  @TempDir Path temp;
  private Path input;
  private Path output;

  @BeforeEach
  void write() throws IOException {
    input = temp.resolve("in");
    output = temp.resolve("out");
    new VersionedFiles(input, "0.20.1", 2, 2)
        .group(Floats.random("embed.weight", 1, 7, 5), Floats.random("norm.weight", 2, 5))
        .model(root -> root.put("iteration", 100))
        .optimizer(state -> state.put("param_tile_order", List.of(List.of(1, 0))))
        .write();
  }

  private String file(String name) {
    return "file:" + input.resolve("global_step1").resolve(name);
  }

  private String placeOfKey() {
    return file("bf16_zero_pp_rank_0_mp_rank_00_optim_states.pt") + " at optimizer_state_dict";
  }

  private String placeOfVersion() {
    return file("mp_rank_00_model_states.pt");
  }

  private List<String> warnings() {
    return List.of(
        "warning "
            + VERSION
            + " ("
            + placeOfVersion()
            + "): look for a newer Reweave, or compare some tensors of the result with what the"
            + " training code loads"
            + REFUSES,
        "warning " + KEY + " (" + placeOfKey() + "): " + COMPARE + REFUSES);
  }

  private String refusal() {
    return "reweave: not all of this checkpoint is known: "
        + VERSION
        + ", "
        + KEY
        + ": "
        + placeOfVersion()
        + "; convert with a version of Reweave that knows it, or without --strict, and "
        + COMPARE;
  }

  private ConvertRun convert(Object... more) {
    List<Object> args = new ArrayList<>(List.of("-i", input, "-o", output));
    args.addAll(List.of(more));
    return ConvertRun.of(args.toArray());
  }

  private static List<String> warnings(ConvertRun run) {
    return run.out().stream().filter(line -> line.startsWith("warning ")).toList();
  }

  private Manifest manifest() throws IOException {
    return Manifest.parse(Files.readAllBytes(output.resolve(Manifest.FILE_NAME)), "manifest");
  }

  @Test
  void toldInTheSummaryAndTheManifest() throws IOException {
    ConvertRun run = convert();

    assertEquals(0, run.exitCode(), run::toString);
    assertEquals(warnings(), warnings(run));
    assertEquals(
        List.of(
            new Manifest.Caution(
                "newer-version",
                "DeepSpeed 0.20.1",
                VERSION,
                placeOfVersion(),
                "look for a newer Reweave, or compare some tensors of the result with what the"
                    + " training code loads"
                    + REFUSES),
            new Manifest.Caution(
                "unknown-key", "param_tile_order", KEY, placeOfKey(), COMPARE + REFUSES)),
        manifest().cautions());
    // Once, and not as a note as well.
    assertEquals(List.of(), manifest().notes().stream().filter(n -> n.contains("0.20.1")).toList());
  }

  @Test
  void toldToSchedulers() throws IOException {
    JsonNode made = JSON.readTree(convert("--json").out().get(0));
    JsonNode again = JSON.readTree(convert("--json").out().get(0));

    JsonNode key = made.get("cautions").get(1);
    assertEquals("unknown-key", key.get("kind").textValue());
    assertEquals("param_tile_order", key.get("name").textValue());
    assertEquals(KEY, key.get("problem").textValue());
    assertEquals(placeOfKey(), key.get("place").textValue());
    assertEquals(COMPARE + REFUSES, key.get("remedy").textValue());
    assertEquals("newer-version", made.get("cautions").get(0).get("kind").textValue());
    assertEquals("up to date", again.get("status").textValue());
    assertEquals(made.get("cautions"), again.get("cautions"));
  }

  @Test
  void refused() throws IOException {
    ConvertRun run = convert("--strict");

    assertEquals(1, run.exitCode());
    assertEquals(List.of(refusal()), run.err());
    assertFalse(Files.exists(output));
    JsonNode error = JSON.readTree(convert("--strict", "--json").out().get(0)).get("error");
    assertEquals("unsupported-input", error.get("kind").textValue());
    assertEquals(placeOfVersion(), error.get("place").textValue());
  }

  @Test
  void refusedWhatWasConvertedBefore() throws IOException {
    assertEquals(0, convert().exitCode());
    var made = Fixtures.digests(output);

    assertEquals(List.of(refusal()), convert("--strict").err());
    assertEquals(List.of(refusal()), convert("--strict", "--overwrite").err());

    assertEquals(made, Fixtures.digests(output));
  }

  @Test
  void aFinishedStepIsLookedAtAgain() throws IOException {
    Object[] steps = {"-i", input, "-o", output + "/{tag}", "--tag", "new"};
    assertEquals(0, ConvertRun.of(steps).exitCode());
    ConvertRun lenient = ConvertRun.of(steps);
    List<Object> more = new ArrayList<>(List.of(steps));
    more.add("--strict");
    ConvertRun strict = ConvertRun.of(more.toArray());

    assertEquals(0, lenient.exitCode());
    assertTrue(lenient.out().get(0).startsWith("up to date"), lenient::toString);
    assertEquals(1, strict.exitCode());
    assertEquals(List.of(refusal()), strict.err());
  }

  @Test
  void aKnownOneIsConvertedAndRepeatedStrictly() throws IOException {
    Fixtures.remove(input);
    VersionedFiles known =
        new VersionedFiles(input, "0.19.8", 2, 2).group(Floats.random("norm.weight", 2, 5));
    known.model(root -> root.put("iteration", 100)).write();
    ConvertRun run = convert("--strict");
    assertEquals(0, run.exitCode(), run::toString);
    assertEquals(List.of(), warnings(run));
    assertEquals(List.of(), manifest().cautions());
    assertEquals("refuse", manifest().options().text(Unfamiliar.STRICT));
    assertEquals(0, convert().exitCode()); // Up to date: strictness changes nothing of the result.

    known.optimizer(state -> state.put("param_tile_order", List.of(List.of(0)))).write();
    ConvertRun again = ConvertRun.of("--again", output, "-o", temp.resolve("again"));

    assertEquals(1, again.exitCode());
    assertTrue(again.err().get(0).contains(": " + KEY + ": "), again::toString);
    assertFalse(Files.exists(temp.resolve("again")));
  }

  @Test
  void strictnessCanBeAddedToARepetition() throws IOException {
    assertEquals(0, convert().exitCode());
    assertEquals("", manifest().options().text(Unfamiliar.STRICT));

    ConvertRun strict = ConvertRun.of("--again", output, "-o", temp.resolve("b"), "--strict");
    ConvertRun lenient = ConvertRun.of("--again", output, "-o", temp.resolve("b"));

    assertEquals(List.of(refusal()), strict.err());
    assertEquals(0, lenient.exitCode(), lenient::toString);
  }

  @Test
  void linesOfAListChooseForThemselves() throws IOException {
    Path list = temp.resolve("list.jsonl");
    String line = "{\"input\": \"%s\", \"output\": \"%s\"%s}%n";
    Files.writeString(
        list,
        line.formatted(input, temp.resolve("a"), "")
            + line.formatted(input, temp.resolve("b"), ", \"strict\": false"));

    ConvertRun run = ConvertRun.of("--list", list, "--strict");

    assertEquals(1, run.exitCode());
    assertEquals(List.of(refusal()), run.err());
    assertFalse(Files.exists(temp.resolve("a")));
    assertTrue(Files.exists(temp.resolve("b/model.safetensors")));
  }

  @Test
  void plansAndSamples() {
    for (List<String> mode : List.of(List.of("--dry-run"), List.of("--sample", "100%"))) {
      ConvertRun lenient = convert(mode.toArray());
      List<Object> more = new ArrayList<>(mode);
      more.add("--strict");
      ConvertRun strict = convert(more.toArray());

      assertEquals(warnings(), warnings(lenient));
      assertEquals(List.of(refusal()), strict.err());
    }
    assertFalse(Files.exists(output));
  }

  private static String run(int exitCode, Object... args) {
    StringWriter out = new StringWriter();
    PrintWriter writer = new PrintWriter(out, true);
    String[] words = Stream.of(args).map(Object::toString).toArray(String[]::new);
    assertEquals(exitCode, Main.run(writer, writer, words), out::toString);
    return out.toString();
  }

  @Test
  void theDoctorTellsTheSame() {
    String warned = run(0, "doctor", input);
    String refused = run(1, "doctor", input, "--strict");

    String key = KEY + " (" + placeOfKey() + "): " + COMPARE + REFUSES + "\n";
    assertTrue(warned.contains("WARNING  " + key), warned);
    assertTrue(warned.contains("WARNING  " + VERSION + " (" + placeOfVersion() + ")"), warned);
    assertTrue(
        warned.contains(
            "INFO     keys beside the framework's own are taken for what the trainer keeps:"
                + " iteration (file:"),
        warned);
    assertTrue(warned.endsWith("0 problems, 2 warnings\n"), warned);
    assertTrue(refused.contains("PROBLEM  " + key), refused);
    assertTrue(refused.endsWith("2 problems, 0 warnings\n"), refused);
    run(0, "doctor", Fixtures.folder("z2_bf16_w2/ckpt"), "--strict");
  }

  @Test
  void otherCommandsTellItAsWell() throws IOException {
    assertTrue(run(0, "inspect", input).contains(KEY));
    assertEquals(0, convert("--report-bug", temp.resolve("bug.json")).exitCode());
    String report = Files.readString(temp.resolve("bug.json"));
    assertTrue(report.contains("\"cautions\" : 2"), report);
  }
}
