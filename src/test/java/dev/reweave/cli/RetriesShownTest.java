package dev.reweave.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.reweave.testing.FaultyCommand;
import dev.reweave.testing.FaultyFileSystem;
import dev.reweave.testing.Launcher;
import dev.reweave.testing.SyntheticCheckpoint;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A store that refuses reads for a while: Spark tries tasks again, and whoever looks is told. */
class RetriesShownTest {
  private static final int TASKS = 6;

  @TempDir Path temp;

  /** In a JVM of its own, since one has one Spark, and that of the tests tries nothing again. */
  private Launcher.Result convert(Path input, int failingAttempts) throws Exception {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(ManagementFactory.getRuntimeMXBean().getInputArguments());
    command.add("-Dspark.master=local[2,3]");
    command.add("-Dspark.hadoop.fs.faulty.impl=" + FaultyFileSystem.class.getName());
    command.addAll(List.of("-cp", System.getProperty("java.class.path")));
    command.add(FaultyCommand.class.getName());
    command.add(String.valueOf(failingAttempts));
    command.addAll(List.of("convert", "-i", "faulty:" + input, "-o", "faulty:" + temp + "/out"));
    // Slow enough for lines to come while tasks run.
    command.addAll(List.of("--max-shard-size", "1MB", "--max-bandwidth", "1MB"));
    command.addAll(List.of("--progress", "json"));
    return Launcher.begin(Map.of(), command).await();
  }

  private static List<JsonNode> progress(Launcher.Result run) throws Exception {
    List<JsonNode> lines = new ArrayList<>();
    for (String line : run.err().lines().filter(l -> l.startsWith("{")).toList()) {
      JsonNode told = new ObjectMapper().readTree(line);
      if (told.path("step").asText().equals("convert")) {
        lines.add(told);
      }
    }
    return lines;
  }

  @Test
  void eachAttemptThatIsMadeAgainIsCounted() throws Exception {
    Path input = temp.resolve("in");
    SyntheticCheckpoint.write(input, 3, 2, SyntheticCheckpoint.layers(TASKS, 1_000_000), 11);

    Launcher.Result run = convert(input, 1);

    assertEquals(0, run.exitCode(), run::toString);
    assertTrue(Files.exists(temp.resolve("out/model.safetensors.index.json")), run::toString);
    List<JsonNode> lines = progress(run);
    int before = 0;
    for (JsonNode line : lines) {
      int retries = line.path("work").path("retries").asInt(-1);
      assertTrue(retries >= before, "they become no fewer: " + lines);
      before = retries;
    }
    assertTrue(before > 0 && before <= TASKS, "at the end " + before + " of " + lines);
  }

  @Test
  void noneIsToldWhereNothingFails() throws Exception {
    Path input = temp.resolve("in");
    SyntheticCheckpoint.write(input, 3, 2, SyntheticCheckpoint.layers(TASKS, 1_000_000), 11);

    Launcher.Result run = convert(input, 0);

    assertEquals(0, run.exitCode(), run::toString);
    List<JsonNode> lines = progress(run);
    assertTrue(lines.size() > 1, run::toString);
    lines.forEach(line -> assertEquals(0, line.path("work").path("retries").asInt(-1)));
  }
}
