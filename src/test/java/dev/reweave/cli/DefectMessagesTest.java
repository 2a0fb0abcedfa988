package dev.reweave.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.common.ReweaveException;
import dev.reweave.convert.LeftBehind;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What is said of errors that are nobody's fault but the machine's or Reweave's. */
class DefectMessagesTest {
  @Test
  void memoryThatIsTooShort() {
    ConvertRun run =
        ConvertRun.with(
            (name, work) -> {
              throw new OutOfMemoryError("Java heap space");
            },
            "-i",
            "in",
            "-o",
            "out",
            "--json");

    assertEquals(1, run.exitCode());
    assertEquals(
        List.of(
            "reweave: out of memory: Java heap space: 'reweave convert'; give it more memory:"
                + " REWEAVE_MEMORY, such as 4g, on a cluster spark.driver.memory and"
                + " spark.executor.memory"),
        run.err());
    assertTrue(run.out().get(0).contains("\"error\":{\"kind\":\"shortage\","), run::toString);
  }

  /** What is left of a failed run is told beside what it failed of, and what that was of is not. */
  @Test
  void whatIsLeftBehindIsToldToo() {
    ReweaveException failure = ReweaveException.usage("no", "there", "go");
    failure.addSuppressed(
        new LeftBehind(ReweaveException.usage("parts stay", "s3a://key:secret@acme/x", "clean")));
    failure.addSuppressed(ReweaveException.usage("a", "b", "c"));

    ConvertRun run =
        ConvertRun.with(
            (name, work) -> {
              throw failure;
            },
            "-i",
            "in",
            "-o",
            "out");

    assertEquals(
        List.of("reweave: no: there; go", "reweave: besides: parts stay: s3a://***@acme/x; clean"),
        run.err());
  }

  @Test
  void tracesAreShownIfAskedFor() {
    SparkUse broken =
        (name, work) -> {
          throw new IllegalStateException(new NullPointerException("of s3a://u:p@acme/x"));
        };

    ConvertRun quiet = ConvertRun.with(broken, "-i", "in", "-o", "out");
    ConvertRun verbose = ConvertRun.with(broken, "-i", "in", "-o", "out", "-v");

    assertEquals(1, quiet.err().size());
    assertEquals(quiet.err().get(0), verbose.err().get(0));
    assertTrue(
        quiet
            .err()
            .get(0)
            .startsWith(
                "reweave: internal error: java.lang.NullPointerException: of s3a://***@acme/x: '"),
        quiet::toString);
    assertTrue(verbose.err().stream().anyMatch(l -> l.startsWith("\tat dev.reweave.")));
    assertFalse(verbose.err().toString().contains("u:p"));
  }
}
