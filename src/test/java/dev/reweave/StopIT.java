package dev.reweave;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.reweave.manifest.Manifest;
import dev.reweave.tensor.TensorSpec;
import dev.reweave.testing.Fixtures;
import dev.reweave.testing.Launcher;
import dev.reweave.testing.SyntheticCheckpoint;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A long run, as who started it sees it: it tells how far it has come, and can be stopped. */
class StopIT {
  private static final int SHARDS = 6;
  private static final long SHARD_BYTES = 2_000_000;
  private static final int MOST_POLLS = 60_000;

  @TempDir static Path temp;
  private static Path input;

  @BeforeAll
  static void makeCheckpoint() throws IOException {
    List<TensorSpec> parameters = SyntheticCheckpoint.layers(SHARDS, SHARD_BYTES);
    input = temp.resolve("in");
    SyntheticCheckpoint.write(input, 3, 2, parameters, 11);
  }

  /** Takes a while: each task reads a shard, at less than the disk gives. */
  private static List<String> slowly(Path output, String... more) {
    return Stream.concat(
            Stream.of(
                "submit/reweave",
                "convert",
                "-i",
                input.toString(),
                "-o",
                output.toString(),
                "--max-shard-size",
                "2MB",
                "--max-bandwidth",
                "1MB"),
            Stream.of(more))
        .toList();
  }

  private static int finished(Path output) throws IOException {
    Path finished = output.resolve(".reweave/finished");
    if (!Files.isDirectory(finished)) {
      return 0;
    }
    try (Stream<Path> files = Files.list(finished)) {
      return (int) files.filter(file -> file.toString().endsWith(".json")).count();
    }
  }

  private static List<String> visible(Path output) throws IOException {
    List<String> names = new ArrayList<>(Fixtures.digests(output).keySet());
    names.removeIf(name -> name.startsWith(".reweave/"));
    return names;
  }

  @ParameterizedTest
  @CsvSource({"INT, 130", "TERM, 143"})
  void aStoppedRunSaysHowItGoesOn(String signal, int exitCode) throws Exception {
    Path output = temp.resolve("stopped-by-" + signal);
    Launcher.Running running = Launcher.begin(Map.of(), slowly(output));
    int polls = 0;
    while (finished(output) < 2) {
      assertTrue(polls++ < MOST_POLLS, "no shard was finished");
      assertFalse(running.process().waitFor(2, TimeUnit.MILLISECONDS), "it ended too soon");
    }
    new ProcessBuilder("kill", "-" + signal, String.valueOf(running.process().pid()))
        .inheritIO()
        .start()
        .waitFor();
    Launcher.Result stopped = running.await();

    assertEquals(exitCode, stopped.exitCode(), stopped::toString);
    assertEquals(
        "reweave: stopped before the result was whole; the same command goes on with what is done,"
            + " 'reweave clean "
            + output
            + "' removes it\n",
        stopped.err());
    assertEquals("", stopped.out());
    assertEquals(List.of(), visible(output), "nothing that looks like a model, and no lock");

    Launcher.Result again = Launcher.begin(Map.of(), slowly(output)).await();

    assertEquals(0, again.exitCode(), again::toString);
    Manifest manifest =
        Manifest.parse(Files.readAllBytes(output.resolve("reweave.json")), "manifest");
    assertTrue(manifest.figures().resumedFiles() >= 2, manifest::toString);
    assertEquals(SHARDS, manifest.result().shards().size());
  }

  @Test
  void programsAreToldHowFarItHasCome() throws Exception {
    Path output = temp.resolve("told");
    Launcher.Result run = Launcher.begin(Map.of(), slowly(output, "--progress", "json")).await();

    assertEquals(0, run.exitCode(), run::toString);
    List<JsonNode> lines = new ArrayList<>();
    for (String line : run.err().lines().toList()) {
      lines.add(new ObjectMapper().readTree(line));
    }
    List<JsonNode> converting =
        lines.stream().filter(line -> line.get("step").asText().equals("convert")).toList();
    assertFalse(converting.isEmpty(), run::toString);
    long before = 0;
    for (JsonNode line : converting) {
      JsonNode amount = line.get("amount");
      assertEquals("bytes", amount.get("unit").asText());
      assertEquals(
          Files.size(output.resolve("model-00001-of-00006.safetensors")) * SHARDS,
          amount.get("total").asLong());
      assertTrue(amount.get("done").asLong() >= before, run::toString);
      before = amount.get("done").asLong();
      assertEquals(SHARDS, line.get("work").get("shards").asInt());
    }
    assertTrue(before > 0, "something was done before the end: " + run);
  }

  @Test
  void quietIsQuiet() throws Exception {
    Launcher.Result run =
        Launcher.begin(Map.of(), slowly(temp.resolve("quiet"), "--quiet")).await();

    assertEquals(0, run.exitCode(), run::toString);
    assertEquals("", run.err());
  }
}
