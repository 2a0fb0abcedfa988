package dev.reweave.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.look.compare.Diff;
import dev.reweave.tensor.DType;
import dev.reweave.tensor.Shape;
import dev.reweave.testing.Fixtures;
import dev.reweave.testing.SafetensorsFile;
import dev.reweave.testing.TestSpark;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;

/** What commands that convert nothing tell of quantized weights. */
class QuantizedCommandsTest {
  private static final String KNOWN =
      "quantized: 1 weight of float8_e4m3fn with scales in blocks of 4x4 (weight_scale_inv);"
          + " --dtype bfloat16 dequantizes, --dtype keep keeps both as they are";

  @TempDir Path temp;
  private final StringWriter out = new StringWriter();

  private int run(String... args) {
    return Main.run(new PrintWriter(out, true), new PrintWriter(out, true), args);
  }

  private List<String> lines() {
    return out.toString().lines().toList();
  }

  private static String input(String name) {
    return Fixtures.resource("quantized/" + name).toString();
  }

  private String codes() throws IOException {
    return new SafetensorsFile()
        .with("a.qweight", DType.I32, Shape.of(1, 2), new byte[8])
        .with("a.qzeros", DType.I32, Shape.of(1, 1), new byte[4])
        .with("a.scales", Shape.of(1, 2), 1f, 2f)
        .write(temp.resolve("codes.safetensors"))
        .toString();
  }

  @Test
  void inspectShowsWhatLiesThereAndWhatItIs() {
    assertEquals(0, run("inspect", input("deepseek")));
    assertTrue(lines().contains("note        " + KNOWN), out.toString());
    assertTrue(out.toString().contains("model.layers.0.mlp.up_proj.weight_scale_inv"));
  }

  @Test
  void inspectNamesWhatIsNotKnown() throws IOException {
    assertEquals(0, run("inspect", codes()));
    assertTrue(
        lines()
            .contains(
                "note        quantized: GPTQ or AWQ (a.qweight, a.qzeros); --dtype keep keeps them"
                    + " as they are, no other does"),
        out.toString());
  }

  @Test
  void doctorFindsThemGoodWhereTheyConvert() throws IOException {
    assertEquals(0, run("doctor", input("deepseek")));
    assertTrue(out.toString().contains(KNOWN), out.toString());
    assertEquals(1, run("doctor", codes()));
    assertTrue(
        out.toString()
            .contains(
                "PROBLEM  the weights are quantized in a way that is not undone: GPTQ or AWQ"
                    + " (a.qweight, a.qzeros)"),
        out.toString());
  }

  /** Of two quantized sides what is stored is compared, of one what it stands for. */
  @ParameterizedTest
  @CsvSource({"deepseek, deepseek.safetensors, 2", "deepseek, deepseek, 3"})
  void diffComparesWhatGoesTogether(String first, String second, int tensors) {
    DiffCommand command = new DiffCommand();
    new CommandLine(command)
        .setOut(new PrintWriter(out, true))
        .parseArgs(input(first), input(second));
    command.print(
        new Diff(TestSpark.cluster(), TestSpark.stores()).run(command.request(TestSpark.stores())));
    assertTrue(out.toString().contains(tensors + " tensors"), out.toString());
    assertTrue(lines().stream().noneMatch(l -> l.contains("only in")), () -> out.toString());
  }
}
