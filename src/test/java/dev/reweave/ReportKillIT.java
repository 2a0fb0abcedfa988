package dev.reweave;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.reweave.manifest.Manifest;
import dev.reweave.tensor.TensorSpec;
import dev.reweave.testing.Fixtures;
import dev.reweave.testing.Launcher;
import dev.reweave.testing.ReportFile;
import dev.reweave.testing.SyntheticCheckpoint;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A conversion is killed with SIGKILL, and the one that finishes its work makes the report. */
class ReportKillIT {
  private static final int SHARDS = 12;
  private static final long SHARD_BYTES = 6_000_000;
  private static final String REPORT = "reweave-report.html";

  /** How long a moment is waited for; the test fails if it does not come. */
  private static final int MOST_POLLS = 60_000;

  @TempDir static Path temp;
  private static Path input;
  private static Path whole;

  @BeforeAll
  static void convertUndisturbed() throws Exception {
    input = temp.resolve("in");
    List<TensorSpec> parameters = SyntheticCheckpoint.layers(SHARDS, SHARD_BYTES);
    SyntheticCheckpoint.write(input, 3, 2, parameters, 11);
    whole = temp.resolve("whole");
    Launcher.Result result = Launcher.run(arguments(whole, "--report"));
    assertEquals(0, result.exitCode(), result::toString);
  }

  private static String[] arguments(Path output, String... more) {
    return Stream.concat(
            Stream.of("convert", "-i", input, "-o", output, "--max-shard-size", "6MB")
                .map(Object::toString),
            Stream.of(more))
        .toArray(String[]::new);
  }

  private static long finished(Path output) throws Exception {
    Path folder = output.resolve(".reweave/finished");
    if (!Files.isDirectory(folder)) {
      return 0;
    }
    try (Stream<Path> files = Files.list(folder)) {
      return files.filter(file -> !file.getFileName().toString().startsWith(".")).count();
    }
  }

  /** Kills the process as soon as so many files are finished; it must not end before. */
  private static void killBehind(int files, Path output, String... more) throws Exception {
    List<String> slow = new ArrayList<>(List.of(arguments(output, more)));
    slow.addAll(List.of("--chunk-size", "64KB"));
    Process process = Launcher.start(slow.toArray(String[]::new));
    try {
      for (int polls = 0; finished(output) < files; polls++) {
        assertTrue(polls < MOST_POLLS, "the moment did not come");
        assertFalse(
            process.waitFor(2, TimeUnit.MILLISECONDS), "the process ended before the moment");
      }
    } finally {
      process.destroyForcibly().waitFor();
    }
  }

  private static Map<String, String> weights(Path folder) throws Exception {
    Map<String, String> digests = Fixtures.digests(folder);
    digests.keySet().removeIf(name -> !name.contains(".safetensors"));
    return digests;
  }

  private static List<JsonNode> texts(JsonNode list) {
    List<JsonNode> texts = new ArrayList<>();
    list.forEach(texts::add);
    return texts;
  }

  /** Who was killed had noted what it measured, if it was asked for a report. */
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void theReportTellsWhatAnEarlierRunHadDone(boolean firstWithReport) throws Exception {
    Path output = temp.resolve("killed-" + firstWithReport);
    killBehind(4, output, firstWithReport ? new String[] {"--report"} : new String[0]);
    assertFalse(Files.exists(output.resolve(REPORT)));

    Launcher.Result again = Launcher.run(arguments(output, "--report", "--chunk-size", "64KB"));

    assertEquals(0, again.exitCode(), again::toString);
    assertEquals(weights(whole), weights(output));
    Manifest manifest =
        Manifest.parse(Files.readAllBytes(output.resolve(Manifest.FILE_NAME)), "test");
    int resumed = manifest.figures().resumedFiles();
    assertTrue(resumed >= 4, manifest::toString);
    ReportFile report = ReportFile.read(output.resolve(REPORT));
    ReportFile undisturbed = ReportFile.read(whole.resolve(REPORT));
    assertTrue(
        texts(report.data().path("facts")).toString().contains(resumed + " files were finished by"),
        () -> report.data().path("facts").toString());
    assertFalse(undisturbed.data().path("facts").toString().contains("finished by"));
    long written = 0;
    for (JsonNode task : report.data().path("tasks")) {
      written += task.path("written").asLong();
    }
    assertTrue(written < SHARDS * SHARD_BYTES, "tasks are those of the second run: " + written);
    if (firstWithReport) {
      assertEquals(undisturbed.data().path("histogram"), report.data().path("histogram"));
      for (String column : List.of("name", "elements", "nans", "zeros", "min", "max")) {
        assertEquals(undisturbed.column(column), report.column(column), column);
      }
      // Sums of other chunks are rounded elsewhere.
      for (String column : List.of("norm", "std")) {
        for (int i = 0; i < SHARDS; i++) {
          double expected = undisturbed.column(column).get(i).asDouble();
          assertTrue(expected > 0, column);
          assertEquals(expected, report.column(column).get(i).asDouble(), expected * 1e-9, column);
        }
      }
    } else {
      assertTrue(
          report
              .data()
              .path("warnings")
              .toString()
              .contains(resumed + " tensors were not measured"),
          () -> report.data().path("warnings").toString());
    }
  }
}
