package dev.reweave.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.storage.OutputLock;
import dev.reweave.testing.Fixtures;
import dev.reweave.testing.Locations;
import dev.reweave.testing.StoredTensors;
import dev.reweave.testing.TestSpark;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Outputs that are named after the saved step, and all steps with one command. */
class StepsTest {
  private static final String NEWEST = "my-tag 2";
  private static final String DAMAGED = "bf16_zero_pp_rank_1_mp_rank_00_optim_states.pt";

  @TempDir Path temp;
  private Path input;
  private Path models;
  private String output;

  @BeforeEach
  void copyInput() throws IOException {
    input = Fixtures.copy(Fixtures.folder("z2_bf16_w2_tags/ckpt"), temp.resolve("in"));
    models = temp.resolve("models");
    output = models + "/{tag}";
  }

  private ConvertRun convert(String tags) {
    return ConvertRun.of("-i", input, "-o", output, "--tag", tags);
  }

  private void copyStep(String from, String to) throws IOException {
    Path target = Files.createDirectories(input.resolve(to));
    for (String name : Fixtures.digests(input.resolve(from)).keySet()) {
      Files.copy(
          input.resolve(from).resolve(name),
          target.resolve(name),
          StandardCopyOption.REPLACE_EXISTING);
    }
  }

  private void damage(String tag) throws IOException {
    Path file = input.resolve(tag).resolve(DAMAGED);

    byte[] content = Files.readAllBytes(file);
    Files.write(file, Arrays.copyOf(content, content.length / 2));
  }

  private void assertHolds(String expected, String tag) throws IOException {
    assertEquals(
        StoredTensors.of(Fixtures.folder("z2_bf16_w2_tags").resolve(expected)),
        StoredTensors.of(models.resolve(tag).resolve("model.safetensors")));
  }

  private static List<String> status(ConvertRun run) {
    return run.table().stream().map(l -> l.replaceFirst(" file:.*", "")).toList();
  }

  @Test
  void theOutputIsNamedAfterTheStepThatLatestNames() throws IOException {
    ConvertRun run = ConvertRun.of("-i", input, "-o", output);

    assertEquals(0, run.exitCode(), run::toString);
    assertTrue(run.out().contains("to     file:" + models + "/" + NEWEST), run::toString);
    assertHolds("expected.safetensors", NEWEST);
    Map<String, String> made = Fixtures.digests(temp);
    ConvertRun again = ConvertRun.of("-i", input, "-o", output);
    assertEquals(
        "up to date: file:" + models + "/" + NEWEST + " holds the result of this conversion",
        again.out().get(0));
    assertEquals(made, Fixtures.digests(temp));
  }

  @Test
  void aStepsOwnFolderHasATagToo() throws IOException {
    ConvertRun run = ConvertRun.of("-i", input.resolve("global_step1"), "-o", output);

    assertEquals(0, run.exitCode(), run::toString);
    assertHolds("expected.global_step1.safetensors", "global_step1");
  }

  @Test
  void theDateIsThatOfTheStartInUtc() {
    LocalDate before = LocalDate.now(ZoneOffset.UTC);
    ConvertRun run = ConvertRun.of("-i", input, "-o", models + "/{date}/{tag}");
    LocalDate after = LocalDate.now(ZoneOffset.UTC);

    assertEquals(0, run.exitCode(), run::toString);
    assertTrue(
        Files.exists(models.resolve(before + "/" + NEWEST + "/reweave.json"))
            || Files.exists(models.resolve(after + "/" + NEWEST + "/reweave.json")));
  }

  @Test
  void theLockIsThatOfTheStepsOutput() {
    String taken = models.resolve("global_step3").toString();
    try (OutputLock.Held other =
        TestSpark.stores().outputFolder(Locations.of(taken)).lock().take("the other conversion")) {
      ConvertRun run = convert("all");

      other.check();
      assertEquals(1, run.exitCode());
      assertEquals(
          List.of("converted global_step1", "failed global_step3", "converted my-tag 2"),
          status(run));
      assertTrue(
          run.table()
              .get(1)
              .contains("another job is at work on this output: 'the other conversion'"),
          run::toString);
    }
  }

  @Test
  void aPlanOfANamedOutputWritesNothing() {
    ConvertRun run = ConvertRun.of("-i", input, "-o", output, "--dry-run");

    assertEquals(0, run.exitCode(), run::toString);
    assertTrue(run.out().get(0).endsWith("tag my-tag 2, fp32 master weights"), run::toString);
    assertFalse(Files.exists(models));
  }

  @Test
  void aTrialOfANamedOutputWritesNothing() {
    ConvertRun run = ConvertRun.of("-i", input, "-o", output, "--sample", "100%");

    assertEquals(0, run.exitCode(), run::toString);
    assertTrue(
        run.out().stream().anyMatch(l -> l.startsWith("tried  1 of 1 chunk")), run::toString);
    assertFalse(Files.exists(models));
  }

  @Test
  void allStepsInNaturalOrder() throws IOException {
    copyStep("global_step1", "global_step10");

    ConvertRun run = convert("all");

    assertEquals(0, run.exitCode(), run::toString);
    assertEquals(
        List.of(
            "converted global_step1",
            "converted global_step3",
            "converted global_step10",
            "converted my-tag 2"),
        status(run));
    assertTrue(
        run.out().contains("4 conversions: 4 converted, 0 up to date, 0 failed"), run::toString);
    assertEquals(List.of(), run.err());
    assertHolds("expected.global_step1.safetensors", "global_step1");
    assertHolds("expected.global_step3.safetensors", "global_step3");
    assertHolds("expected.global_step1.safetensors", "global_step10");
    assertHolds("expected.safetensors", NEWEST);
  }

  @Test
  void allAgainWritesNothing() throws IOException {
    convert("all");
    Map<String, String> made = Fixtures.digests(temp);

    ConvertRun run = convert("all");

    assertEquals(0, run.exitCode(), run::toString);
    assertEquals(
        List.of("up to date global_step1", "up to date global_step3", "up to date my-tag 2"),
        status(run));
    assertEquals(made, Fixtures.digests(temp));
  }

  @Test
  void newStepsAlone() throws IOException {
    convert("all");
    copyStep("global_step1", "global_step4");
    Map<String, String> made = Fixtures.digests(models);

    ConvertRun run = convert("new");

    assertEquals(0, run.exitCode(), run::toString);
    assertEquals(
        List.of(
            "up to date global_step1",
            "up to date global_step3",
            "converted global_step4",
            "up to date my-tag 2"),
        status(run));
    assertHolds("expected.global_step1.safetensors", "global_step4");
    Map<String, String> now = Fixtures.digests(models);
    assertTrue(now.entrySet().containsAll(made.entrySet()));
    assertEquals(made.size() + 2, now.size());
  }

  @Test
  void aStepThatHasChangedIsOfAllButNotNew() throws IOException {
    convert("all");
    copyStep("global_step3", "global_step1");
    Map<String, String> made = Fixtures.digests(models);

    assertEquals("up to date global_step1", status(convert("new")).get(0));
    assertEquals(made, Fixtures.digests(models));
    assertEquals("converted global_step1", status(convert("all")).get(0));
    assertHolds("expected.global_step3.safetensors", "global_step1");
  }

  @Test
  void aResultThatIsNotWholeIsNotFinished() throws IOException {
    convert("all");
    Files.delete(models.resolve("global_step3/model.safetensors"));

    ConvertRun run = convert("new");

    assertEquals(
        List.of("up to date global_step1", "converted global_step3", "up to date my-tag 2"),
        status(run));
    assertHolds("expected.global_step3.safetensors", "global_step3");
  }

  @Test
  void aResultOfOtherOptionsIsNotReplaced() throws IOException {
    convert("all");
    Map<String, String> made = Fixtures.digests(models);

    ConvertRun run =
        ConvertRun.of("-i", input, "-o", output, "--tag", "new", "--dtype", "bfloat16");

    assertEquals(1, run.exitCode());
    assertEquals(
        List.of("failed global_step1", "failed global_step3", "failed my-tag 2"), status(run));
    assertTrue(run.err().get(0).startsWith("reweave: the output is not empty: it holds model.s"));
    assertEquals(made, Fixtures.digests(models));
  }

  @Test
  void aDamagedStepDoesNotEndTheOthers() throws IOException {
    damage("global_step1");

    ConvertRun run = convert("all");

    assertEquals(1, run.exitCode());
    assertEquals(
        List.of("failed global_step1", "converted global_step3", "converted my-tag 2"),
        status(run));
    assertEquals(1, run.err().size(), run::toString);
    String why = run.err().get(0).substring("reweave: ".length());
    assertTrue(why.contains("global_step1/" + DAMAGED), why);
    assertTrue(run.table().get(0).endsWith(why), run::toString);
    assertEquals(Set.of(NEWEST, "global_step3"), Set.copyOf(names(models)));
    assertHolds("expected.global_step3.safetensors", "global_step3");
  }

  private static List<String> names(Path folder) throws IOException {
    try (var files = Files.list(folder)) {
      return files.map(f -> f.getFileName().toString()).toList();
    }
  }

  @Test
  void stepsOfADistributedCheckpoint() throws IOException {
    Path fixture = Fixtures.folder("dcp_fsdp2_w3");

    ConvertRun run =
        ConvertRun.of(
            "-i", fixture.resolve("ckpt"), "-o", output, "--tag", "all", "--dtype", "keep");

    assertEquals(0, run.exitCode(), run::toString);
    assertEquals(List.of("converted step-3", "converted step-10"), status(run));
    assertEquals(
        StoredTensors.of(fixture.resolve("expected_step-3.safetensors")),
        StoredTensors.of(models.resolve("step-3/model.safetensors")));
    assertEquals(
        StoredTensors.of(fixture.resolve("expected.safetensors")),
        StoredTensors.of(models.resolve("step-10/model.safetensors")));
  }

  @Test
  void whereThereAreNoSteps() {
    for (String tag : List.of("all", "new")) {
      ConvertRun run =
          ConvertRun.of("-i", input.resolve("global_step1"), "-o", output, "--tag", tag);

      assertEquals(1, run.exitCode());
      assertTrue(
          run.err().get(0).startsWith("reweave: there are no saved steps here, and so no tags"),
          run::toString);
    }
    ConvertRun file = ConvertRun.of("-i", input.resolve("latest"), "-o", output);
    assertEquals(1, file.exitCode());
    assertTrue(file.err().get(0).contains("an --output without {tag}"), file::toString);
    assertFalse(Files.exists(models));
  }

  @Test
  void wrongUsage() {
    assertWrong(
        "--tag all needs an output for each step: put {tag} in --output, as in models/{tag}",
        "-o",
        models,
        "--tag",
        "all");
    assertWrong("--tag new needs an output for each step", "-o", models, "--tag", "new");
    assertWrong(
        "'{step}' in --output is no placeholder: {tag} and {date} are", "-o", models + "/{step}");
    assertWrong("are for one step", "-o", output, "--tag", "all", "--dry-run");
    assertWrong("are for one step", "-o", output, "--tag", "new", "--sample", "1%");
    assertFalse(Files.exists(models));
  }

  private void assertWrong(String message, Object... more) {
    Object[] args = new Object[more.length + 2];
    args[0] = "-i";
    args[1] = input;
    System.arraycopy(more, 0, args, 2, more.length);
    ConvertRun run = ConvertRun.of(args);
    assertEquals(2, run.exitCode(), run::toString);
    assertTrue(run.err().get(0).contains(message), run::toString);
  }
}
