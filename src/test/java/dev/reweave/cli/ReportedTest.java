package dev.reweave.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.testing.Fixtures;
import dev.reweave.testing.StoredTensors;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What people ran into with other tools, rebuilt with the frameworks that they used. */
class ReportedTest {
  @TempDir Path temp;

  private static Path report(String path) {
    return Fixtures.resource("reports").resolve(path);
  }

  /** One multiplication in fp32 for each element, and what was not quantized as it is. */
  @ParameterizedTest
  @CsvSource({
    "13-fp8-with-scales/a, 13-fp8-with-scales/expected_a.safetensors, 2",
    "13-fp8-with-scales/b/wan_fp8_scaled.safetensors, 13-fp8-with-scales/expected_b.safetensors, 1",
  })
  void fp8WithScales(String input, String expected, int tensors) throws IOException {
    Path out = temp.resolve("out");
    ConvertRun run = ConvertRun.of("-i", report(input), "-o", out, "--dtype", "float32");

    assertEquals(0, run.exitCode(), run::toString);
    assertEquals(StoredTensors.of(report(expected)), StoredTensors.inFolder(out));
    assertTrue(
        run.out().stream().anyMatch(l -> l.startsWith("wrote  " + tensors + " tensor")),
        run::toString);
    Path kept = temp.resolve("kept");
    assertEquals(0, ConvertRun.of("-i", report(input), "-o", kept, "--dtype", "keep").exitCode());
    Path source = Files.isDirectory(report(input)) ? report(input) : report(input).getParent();
    assertEquals(StoredTensors.inFolder(source), StoredTensors.inFolder(kept));
  }

  /** Two of five parameters were written when it was stopped. */
  @ParameterizedTest
  @ValueSource(strings = {"convert", "inspect", "doctor"})
  void aUniversalCheckpointHalfMade(String command) throws IOException {
    Path half = report("18-universal-interrupted/in/global_step2_universal");
    StringWriter said = new StringWriter();
    int exitCode;
    if (command.equals("convert")) {
      ConvertRun run = ConvertRun.of("-i", half, "-o", temp.resolve("half"));
      exitCode = run.exitCode();
      said.write(run.toString());
    } else {
      exitCode =
          Main.run(
              new PrintWriter(said, true), new PrintWriter(said, true), command, half.toString());
    }

    assertEquals(1, exitCode, said::toString);
    assertTrue(said.toString().contains("the universal checkpoint is half made: "), said::toString);
    assertTrue(
        said.toString().contains("18-universal-interrupted/in/global_step2"), said::toString);
    assertFalse(Files.exists(temp.resolve("half")));
  }

  /** What the message says to do. */
  @Test
  void theCheckpointThatItWasMadeOf() throws IOException {
    for (List<String> tag : List.of(List.<String>of(), List.of("--tag", "global_step2"))) {
      Path out = temp.resolve("out" + tag.size());
      ConvertRun run =
          tag.isEmpty()
              ? ConvertRun.of("-i", report("18-universal-interrupted/in/global_step2"), "-o", out)
              : ConvertRun.of(
                  "-i", report("18-universal-interrupted/in"), "-o", out, "--tag", tag.get(1));

      assertEquals(0, run.exitCode(), run::toString);
      assertEquals(
          StoredTensors.of(report("18-universal-interrupted/expected.safetensors")),
          StoredTensors.inFolder(out));
    }
  }
}
