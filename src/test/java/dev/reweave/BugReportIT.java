package dev.reweave;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.reweave.testing.Fixtures;
import dev.reweave.testing.Launcher;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Failures of the process and its Spark, as a user sees them, and what a report tells of them. */
class BugReportIT {
  private static final String GOOD = Fixtures.folder("z2_bf16_w2").resolve("ckpt").toString();

  @TempDir Path temp;

  private JsonNode report(String... forbidden) throws Exception {
    String text = Files.readString(temp.resolve("bug.json"));
    for (String name : forbidden) {
      assertFalse(text.contains(name), name + " is in " + text);
    }
    return new ObjectMapper().readTree(text);
  }

  private Launcher.Result run(Map<String, String> environment, String... more) throws Exception {
    List<String> command =
        new ArrayList<>(
            List.of("submit/reweave", "--report-bug", temp.resolve("bug.json").toString()));
    command.addAll(List.of(more));
    return Launcher.begin(environment, command).await();
  }

  @Test
  void sparkThatCannotStart() throws Exception {
    Launcher.Result failed =
        run(
            Map.of("AWS_SECRET_ACCESS_KEY", "zebra-of-johanna", "HOSTNAME", "box-of-johanna"),
            "convert",
            "-i",
            GOOD,
            "-o",
            temp.resolve("zebra-of-johanna").toString(),
            "--master",
            "local[x]",
            "--conf",
            "spark.hadoop.fs.s3a.secret.key=acme7acme7",
            "--conf",
            "spark.hadoop.fs.s3a.bucket.acme-box.access.key=acme8acme8");

    assertEquals(1, failed.exitCode(), failed::toString);
    assertTrue(failed.err().contains("reweave: Spark could not be started ("), failed::toString);
    assertFalse(failed.err().contains("\tat "), failed::toString);
    JsonNode report = report("johanna", "acme", temp.getFileName().toString());
    assertEquals("environment", report.get("errors").get(0).get("kind").textValue());
    assertEquals("local[x]", report.get("settings").get("spark.master").textValue());
    assertFalse(report.get("settings").has("fs.s3a.secret.key"));
  }

  @Test
  void theReportOfTheDemo() throws Exception {
    Launcher.Result made = run(Map.of("REWEAVE_MEMORY", "600m"), "demo");

    assertEquals(0, made.exitCode(), made::toString);
    JsonNode report = report();
    assertEquals("demo", report.get("command").get(2).textValue());
    assertEquals(3, report.get("plans").get(0).get("zeroStage").intValue());
    assertTrue(report.get("machine").get("heapBytes").longValue() <= 600L << 20);
    assertEquals(0, report.get("errors").size());
  }
}
