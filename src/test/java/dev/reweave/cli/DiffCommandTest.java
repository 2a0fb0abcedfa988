package dev.reweave.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.reweave.look.compare.Diff;
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

/** What {@code reweave diff} prints, and its exit codes. */
class DiffCommandTest {
  @TempDir Path temp;
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  /** As {@code diff} does it, in the Spark that the tests share. */
  private int diff(String... args) {
    DiffCommand command = new DiffCommand();
    new CommandLine(command)
        .setCaseInsensitiveEnumValuesAllowed(true)
        .setOut(new PrintWriter(out, true))
        .parseArgs(args);
    return command.print(
        new Diff(TestSpark.cluster(), TestSpark.stores()).run(command.request(TestSpark.stores())));
  }

  private int run(String... args) {
    return Main.run(new PrintWriter(out, true), new PrintWriter(err, true), args);
  }

  private List<String> lines() {
    return out.toString().lines().toList();
  }

  private static String fixture(String name) {
    return Fixtures.folder(name).toString();
  }

  private String file(String name, SafetensorsFile content) throws IOException {
    return content.write(temp.resolve(name)).toString();
  }

  /** What wrappers put into names differs between trainings, and is no difference of weights. */
  @Test
  void namesOfWrappersCountWhereThatIsAskedFor() throws IOException {
    String compiled =
        file("compiled.safetensors", new SafetensorsFile().with("_orig_mod.w", Shape.of(1), 1));
    String plain = file("plain.safetensors", new SafetensorsFile().with("w", Shape.of(1), 1));

    assertEquals(0, diff(compiled, plain), out::toString);
    assertEquals(0, diff(plain, compiled), out::toString);
    assertEquals(1, diff(compiled, plain, "--names", "as-saved"));
    assertEquals(1, diff(plain, compiled, "--names", "as-saved"));
  }

  @Test
  void nothingDiffers() {
    String checkpoint = fixture("z2_bf16_w2/ckpt");
    String expected = fixture("z2_bf16_w2/expected.safetensors");

    assertEquals(0, diff(checkpoint, expected));

    assertEquals(
        List.of(
            "first   file:"
                + checkpoint
                + ": DeepSpeed 0.19.6, ZeRO-2, tag global_step3, fp32 master weights, 12 tensors",
            "second  file:" + expected + ": safetensors, 12 tensors",
            "equal: 12 tensors, 234 elements; 12 identical"),
        lines());
  }

  @Test
  void aTableOfWhatDiffers() throws IOException {
    String first =
        file(
            "first.safetensors",
            new SafetensorsFile()
                .with("a", Shape.of(2, 2), 1, 2, 3, 4)
                .with("gone", Shape.of(1), 1)
                .with("large", Shape.of(2), 1, 0)
                .with("same", Shape.of(1), 5)
                .with("shape", Shape.of(2, 3), 1, 2, 3, 4, 5, 6)
                .with("torn", Shape.of(2), Float.NaN, 1));
    String second =
        file(
            "second.safetensors",
            new SafetensorsFile()
                .with("a", Shape.of(2, 2), 1, 2, 3.5f, 4)
                .with("large", Shape.of(2), 0, 1)
                .with("new", Shape.of(1), 1)
                .with("same", Shape.of(1), 5)
                .with("shape", Shape.of(3, 2), 1, 2, 3, 4, 5, 6)
                .with("torn", Shape.of(2), 1, 1));

    assertEquals(1, diff(first, second));

    assertEquals(
        List.of(
            "",
            "tensor  difference                  elements  largest  relative  distance    cosine",
            "gone    only in the first",
            "new     only in the second",
            "shape   shape [2, 3] / [3, 2]",
            "torn    values, 1 NaN in the first    1 of 2        0         0         0  1.000000",
            "large   values                        2 of 2     1.00      1.00      1.41  0.000000",
            "a       values                        1 of 4    0.500     0.143    0.0867  0.997365",
            "",
            "different: 4 of 5 tensors, 4 of 9 elements; 1 only in the first; 1 only in the second;"
                + " 1 identical, 3 other values, 1 other shape; farthest apart: 1.00 at large [0]"),
        lines().subList(2, lines().size()));
  }

  @Test
  void aLongTableIsCut() throws IOException {
    SafetensorsFile some = new SafetensorsFile();
    SafetensorsFile others = new SafetensorsFile();
    for (int i = 10; i < 40; i++) {
      some.with("t" + i, Shape.of(1), i);
      others.with("t" + i, Shape.of(1), -i);
    }
    String first = file("first.safetensors", some);
    String second = file("second.safetensors", others);

    assertEquals(1, diff(first, second));
    assertTrue(lines().contains("and 10 more, which --all shows"), out::toString);
    assertFalse(out.toString().contains("t30 "), out::toString);

    out.getBuffer().setLength(0);
    assertEquals(1, diff(first, second, "--all"));
    assertTrue(out.toString().contains("t39 "), out::toString);
    assertFalse(out.toString().contains("more, which"), out::toString);
  }

  @Test
  void withinATolerance() throws IOException {
    String first = file("first.safetensors", new SafetensorsFile().with("a", Shape.of(2), 1, 2));
    String second =
        file("second.safetensors", new SafetensorsFile().with("a", Shape.of(2), 1, 2.25f));

    assertEquals(1, diff(first, second));
    assertEquals(1, diff(first, second, "--tolerance", "0.2"));
    out.getBuffer().setLength(0);
    assertEquals(0, diff(first, second, "--tolerance", "0.25"));

    assertEquals(
        "equal: 1 tensor, 2 elements; 1 other values; farthest apart: 0.250 at a [1]; tolerance"
            + " 0.250",
        lines().get(2));
  }

  @Test
  void steps() {
    String checkpoint = fixture("z2_bf16_w2_tags/ckpt");

    assertEquals(0, diff(checkpoint, checkpoint));
    assertEquals(1, diff(checkpoint, checkpoint, "--tag", "global_step1"));
    assertEquals(1, diff(checkpoint, checkpoint, "--other-tag", "global_step1"));
    assertEquals(
        0, diff(checkpoint, checkpoint, "--tag", "global_step1", "--other-tag", "global_step1"));
  }

  @Test
  void typesAreTold() {
    String checkpoint = fixture("z2_bf16_w2/ckpt");

    assertEquals(1, diff(checkpoint, checkpoint, "--other-weights", "model"));
    assertTrue(out.toString().contains("float32 / bfloat16, same after a cast"), out::toString);
    assertEquals(0, diff(checkpoint, checkpoint, "--other-weights", "model", "--ignore-dtype"));
    assertEquals(0, diff(checkpoint, checkpoint, "--weights", "model", "--other-weights", "model"));
  }

  @Test
  void oneDocument() throws IOException {
    String first =
        file(
            "first.safetensors",
            new SafetensorsFile()
                .with("a", Shape.of(2, 2), 1, 2, 3, Float.POSITIVE_INFINITY)
                .with("b", Shape.of(2), 1, 2)
                .with("gone", Shape.of(1), 1));
    String second =
        file(
            "second.safetensors",
            new SafetensorsFile()
                .with("a", Shape.of(2, 2), 1, 2, 3, 4)
                .with("b", Shape.of(2), 1, 2)
                .with("s", Shape.of(), 2));

    assertEquals(1, diff(first, second, "--json"));

    JsonNode report = new ObjectMapper().readTree(out.toString());
    assertFalse(report.get("equal").booleanValue());
    assertEquals("file:" + first, report.get("first").get("path").textValue());
    assertEquals("gone", report.get("onlyInFirst").get(0).get("name").textValue());
    assertEquals("s", report.get("onlyInSecond").get(0).get("name").textValue());
    assertEquals(48, report.get("bytesRead").longValue());
    JsonNode a = report.get("tensors").get(0);
    assertEquals("a", a.get("name").textValue());
    assertTrue(a.get("differs").booleanValue());
    assertEquals("other values", a.get("result").textValue());
    assertEquals("float32", a.get("first").get("dtype").textValue());
    assertEquals("[2,2]", a.get("second").get("shape").toString());
    assertEquals(1, a.get("unequal").longValue());
    assertEquals("Infinity", a.get("largestAbsolute").textValue());
    assertEquals("[1,1]", a.get("largestAt").toString());
    assertEquals(1.0, a.get("cosine").doubleValue());
    JsonNode b = report.get("tensors").get(1);
    assertEquals("identical", b.get("result").textValue());
    assertEquals(0.0, b.get("distance").doubleValue());
    assertEquals(2, report.get("tensors").size());
  }

  @Test
  void troubleIsTwo() {
    String checkpoint = fixture("z2_bf16_w2/ckpt");

    assertEquals(2, run("diff", checkpoint, temp + "/nowhere"));
    assertEquals(
        "reweave: there is no such file or folder: file:"
            + temp
            + "/nowhere; name a checkpoint, the folder of a model, or a file of weights\n",
        err.toString());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "diff a | 'OTHER'",
        "diff a b --tolerance -1 | --tolerance -1.0 is no number from 0 on",
        "diff a b --tolerance x | 'x' is not a double",
        "diff a b --only ( | --only ( is no regular expression",
        "diff a b --chunk-size 1KB | at least 64000 are needed",
      })
  void wrongUsage(String args, String message) {
    assertEquals(2, run(args.split(" ")));

    assertTrue(err.toString().contains(message), err::toString);
  }
}
