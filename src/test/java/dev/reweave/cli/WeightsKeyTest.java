package dev.reweave.cli;

import static dev.reweave.testing.PickleWriter.dict;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.checkpoint.ReadOptions;
import dev.reweave.manifest.Manifest;
import dev.reweave.tensor.DType;
import dev.reweave.tensor.Shape;
import dev.reweave.testing.StorageContent;
import dev.reweave.testing.TensorValue;
import dev.reweave.testing.TestSpark;
import dev.reweave.testing.TorchZipWriter;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.apache.spark.sql.Row;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code --weights KEY} reaches the reader by each way in, and is kept for the next time. */
class WeightsKeyTest {
  private static final String NOT_READ =
      "left   'model' in last.pt, 1 tensor, not read: --weights model takes it in place of the model";

  @TempDir Path temp;

  private Path input;

  private static TensorValue element(int offset) {
    return new TensorValue("0", "FloatStorage", 2, offset, Shape.of(1), List.of(1L));
  }

  @BeforeEach
  void write() throws IOException {
    input = temp.resolve("last.pt");
    byte[] values =
        ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putFloat(1).putFloat(2).array();
    TorchZipWriter.write(
        input,
        dict("model", dict("w", element(0)), "state", dict("ema", dict("w", element(1)))),
        List.of(StorageContent.of(DType.F32, values)));
  }

  private Path output(String name) {
    return temp.resolve(name);
  }

  /** The only element of the result. */
  private float written(String name) throws IOException {
    byte[] file = Files.readAllBytes(output(name).resolve("model.safetensors"));
    return ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN).getFloat(file.length - 4);
  }

  private Manifest manifest(String name) throws IOException {
    return Manifest.parse(Files.readAllBytes(output(name).resolve(Manifest.FILE_NAME)), "manifest");
  }

  @Test
  void onTheCommandLineInAListAndAgain() throws IOException {
    ConvertRun plain = ConvertRun.of("-i", input, "-o", output("plain"));
    assertEquals(0, plain.exitCode(), plain::toString);
    assertEquals(1, written("plain"));
    assertTrue(
        plain
            .out()
            .contains(
                "left   'state.ema' in last.pt, 1 tensor, not read: --weights state.ema takes it in"
                    + " place of the model"),
        plain::toString);

    ConvertRun run = ConvertRun.of("-i", input, "-o", output("ema"), "--weights", "state.ema");
    assertEquals(0, run.exitCode(), run::toString);
    assertEquals(2, written("ema"));
    assertTrue(run.out().contains(NOT_READ), run::toString);
    assertEquals("state.ema", manifest("ema").options().text(ReadOptions.WEIGHTS));
    assertEquals(1, manifest("ema").notTaken().size());

    assertEquals(0, ConvertRun.of("--again", output("ema"), "-o", output("again")).exitCode());
    assertEquals(2, written("again"));
    assertArrayEquals(
        Files.readAllBytes(output("ema").resolve("model.safetensors")),
        Files.readAllBytes(output("again").resolve("model.safetensors")));

    Path list = temp.resolve("list.jsonl");
    Files.writeString(
        list,
        "{\"input\": \"%s\", \"output\": \"%s\", \"weights\": \"state.ema\"}"
            .formatted(input, output("listed")));
    assertEquals(0, ConvertRun.of("--list", list).exitCode());
    assertEquals(2, written("listed"));
  }

  @Test
  void anotherKeyIsAnotherConversion() throws IOException {
    assertEquals(0, ConvertRun.of("-i", input, "-o", output("out")).exitCode());
    ConvertRun other =
        ConvertRun.of("-i", input, "-o", output("out"), "--weights", "state.ema", "--overwrite");

    assertEquals(0, other.exitCode(), other::toString);
    assertEquals(2, written("out"));
  }

  @Test
  void inAQuery() {
    List<Row> rows =
        TestSpark.session()
            .read()
            .format("reweave")
            .option("weights", "state.ema")
            .load(input.toString())
            .selectExpr("max")
            .collectAsList();

    assertEquals(List.of("2.0"), rows.stream().map(r -> r.get(0).toString()).toList());
  }

  @Test
  void anEmptyKeyIsNone() {
    ConvertRun run = ConvertRun.of("-i", input, "-o", output("out"), "--weights", "");

    assertTrue(run.exitCode() != 0, run::toString);
    assertTrue(run.err().toString().contains("no weights are named"), run::toString);
  }
}
