package dev.reweave.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.reweave.manifest.Manifest;
import dev.reweave.manifest.WrittenTensor;
import dev.reweave.tensor.DType;
import dev.reweave.tensor.TensorStatistics;
import dev.reweave.tensor.ValueHistogram;
import dev.reweave.testing.Fixtures;
import dev.reweave.testing.ReportFile;
import dev.reweave.testing.SafetensorsFile;
import java.io.IOException;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code convert --report}: the file beside the manifest, and what is in it. */
class ConvertReportTest {
  private static final Path CHECKPOINT = Fixtures.folder("z2_bf16_w2/ckpt");

  @TempDir Path temp;

  private Path out() {
    return temp.resolve("my-model");
  }

  private Path file() {
    return out().resolve("reweave-report.html");
  }

  private ConvertRun convert(Path input, String... more) {
    Object[] args = {"-i", input, "-o", out()};
    Object[] all = Arrays.copyOf(args, args.length + more.length);
    System.arraycopy(more, 0, all, args.length, more.length);
    return ConvertRun.of(all);
  }

  private Manifest manifest() throws IOException {
    return Manifest.parse(Files.readAllBytes(out().resolve(Manifest.FILE_NAME)), "test");
  }

  @ParameterizedTest
  @ValueSource(strings = {"z2_bf16_w2", "z3_fp16_w3", "z2_bf16_w2_empty", "z3_bf16_w2_bn"})
  void itsNumbersAreThoseOfTheFiles(String fixture) throws IOException {
    ConvertRun run =
        convert(
            Fixtures.folder(fixture + "/ckpt"),
            "--report",
            "--dtype",
            "bfloat16",
            "--max-shard-size",
            "600");

    assertEquals(0, run.exitCode(), run::toString);
    assertTrue(run.out().contains("report file:" + file()), run::toString);
    ReportFile report = ReportFile.read(file());
    Manifest manifest = manifest();
    List<WrittenTensor> weights = manifest.result().weights();
    assertEquals(weights.size(), report.column("name").size());
    assertEquals(weights.size(), report.histograms().size());
    for (int i = 0; i < weights.size(); i++) {
      WrittenTensor tensor = weights.get(i);
      DType type = DType.ofTorchName(tensor.dtype()).orElseThrow();
      int from = (int) tensor.offset();
      byte[] bytes =
          Arrays.copyOfRange(
              Files.readAllBytes(out().resolve(tensor.shard())),
              from,
              from + tensor.bytes().orElseThrow().intValue());
      int elements = tensor.elements().orElseThrow().intValue();
      TensorStatistics expected = TensorStatistics.of(type, bytes, 0, elements);
      assertEquals(tensor.name(), report.column("name").get(i).asText());
      assertEquals(
          tensor.dtype(),
          report.data().path("dtypes").get(report.column("dtype").get(i).asInt()).asText());
      assertEquals(
          tensor.shard(),
          report
              .data()
              .path("shards")
              .get(report.column("shard").get(i).asInt())
              .path("path")
              .asText());
      assertEquals(elements, report.column("elements").get(i).asLong());
      assertEquals(bytes.length, report.column("bytes").get(i).asLong());
      assertEquals(tensor.nans(), report.column("nans").get(i).asLong());
      assertEquals(tensor.infinities(), report.column("infinities").get(i).asLong());
      if (elements > 0) {
        assertEquals(expected.zeros(), report.column("zeros").get(i).asLong());
        near(expected.finite().min(), report.column("min").get(i));
        near(expected.finite().max(), report.column("max").get(i));
        near(expected.finite().mean(), report.column("mean").get(i));
        near(expected.finite().deviation(), report.column("std").get(i));
        double[] numbers = {expected.finite().deviation(), expected.finite().mean()};
        near(
            Math.hypot(numbers[0], numbers[1]) * Math.sqrt((double) expected.finite().count()),
            report.column("norm").get(i));
        long[] bins = report.histograms().get(i);
        assertArrayEquals(ValueHistogram.of(type, bytes, 0, elements).counts(), bins);
        assertEquals(
            elements,
            Arrays.stream(bins).sum() + expected.zeros() + tensor.nans() + tensor.infinities());
      }
    }
  }

  private static void near(double expected, JsonNode found) {
    assertEquals(expected, found.asDouble(Double.NaN), 1e-9 * Math.max(1e-6, Math.abs(expected)));
  }

  @Test
  void itTellsOfTheTasksAndTheChecks() throws IOException {
    assertEquals(0, convert(CHECKPOINT, "--report").exitCode());

    JsonNode data = ReportFile.read(file()).data();
    Manifest manifest = manifest();
    long read = 0;
    long written = 0;
    for (JsonNode task : data.path("tasks")) {
      assertEquals("done", task.path("outcome").asText());
      assertTrue(task.path("end").asLong() >= task.path("start").asLong());
      assertFalse(task.path("what").asText().isEmpty(), task::toString);
      read += task.path("read").asLong();
      written += task.path("written").asLong();
    }
    assertEquals(manifest.figures().bytesRead(), read);
    assertEquals(manifest.result().shards().get(0).bytes(), written);
    assertEquals("conversion", data.path("subject").path("kind").asText());
    assertEquals("my-model", data.path("title").asText());
    assertEquals("CRCs of the input", data.path("checks").get(0).path("name").asText());
    assertEquals("passed", data.path("checks").get(0).path("verdict").asText());
    assertTrue(data.path("tensors").path("change").isMissingNode());
  }

  @Test
  void itGoesWithTheModelThatItIsOf() throws IOException {
    assertEquals(0, convert(CHECKPOINT, "--report").exitCode());
    String first = Files.readString(file());

    ConvertRun again = convert(CHECKPOINT, "--report");
    assertEquals(0, again.exitCode(), again::toString);
    assertTrue(String.join(" ", again.out()).contains("up to date"), again::toString);
    assertEquals(first, Files.readString(file()));

    ConvertRun other = convert(CHECKPOINT, "--dtype", "bfloat16");
    assertEquals(1, other.exitCode(), other::toString);
    assertEquals(first, Files.readString(file()));

    ConvertRun replaced = convert(CHECKPOINT, "--dtype", "bfloat16", "--overwrite");
    assertEquals(0, replaced.exitCode(), replaced::toString);
    assertFalse(Files.exists(file()));
    ConvertRun unmade = convert(CHECKPOINT, "--dtype", "bfloat16", "--report");
    assertTrue(
        String.join(" ", unmade.out()).contains("no report: nothing was converted now"),
        unmade::toString);
    try (var left = Files.list(out())) {
      assertEquals(
          List.of(), left.filter(p -> p.getFileName().toString().startsWith("_")).toList());
    }
  }

  /**
   * Without a second copy of the weights they are held against the base, which shows in columns.
   */
  @Test
  void whatChangedAgainstTheBaseIsTold() throws IOException {
    Path checkpoint = Fixtures.folder("z3_bf16_w2/ckpt");
    Path base = temp.resolve("base");
    ConvertRun made = ConvertRun.of("-i", checkpoint, "-o", base, "--dtype", "float32");
    assertEquals(0, made.exitCode(), made::toString);
    Files.delete(base.resolve(Manifest.FILE_NAME));
    Files.writeString(base.resolve("config.json"), "{\"model_type\": \"llama\"}");
    Path weights = base.resolve("model.safetensors");
    SafetensorsFile file = SafetensorsFile.read(weights);
    String moved = file.names().iterator().next();
    file.content(moved).order(ByteOrder.LITTLE_ENDIAN).putFloat(0, 3);
    file.write(weights);

    ConvertRun run = convert(checkpoint, "--base", base.toString(), "--report");

    assertEquals(0, run.exitCode(), run::toString);
    ReportFile report = ReportFile.read(file());
    assertTrue(
        report.data().path("subject").path("against").asText().endsWith("/base"), run::toString);
    for (int i = 0; i < report.column("name").size(); i++) {
      boolean isMoved = report.column("name").get(i).asText().equals(moved);
      assertEquals(isMoved, report.column("change").get(i).asDouble() > 0, moved);
      assertEquals(isMoved ? 1 : 0, report.column("differing").get(i).asLong(), moved);
    }
  }

  /** One that nobody knows is no result of ours. */
  @Test
  void aFileOfThatNameWithoutAManifestIsKept() throws IOException {
    Files.createDirectories(out());
    Files.writeString(file(), "mine");

    ConvertRun run = convert(CHECKPOINT, "--report");

    assertEquals(1, run.exitCode(), run::toString);
    assertEquals("mine", Files.readString(file()));
    assertFalse(Files.exists(out().resolve(Manifest.FILE_NAME)));
  }

  @Test
  void aConversionThatFailsLeavesNoReport() throws IOException {
    Path input = Fixtures.copy(CHECKPOINT, temp.resolve("in"));
    Path rank;
    try (var files = Files.walk(input)) {
      rank = files.filter(f -> f.toString().endsWith("optim_states.pt")).sorted().findFirst().get();
    }
    byte[] bytes = Files.readAllBytes(rank);
    String text = new String(bytes, StandardCharsets.ISO_8859_1);
    // The first byte of each storage: torch has them begin at multiples of 64.
    for (int at = text.indexOf("/data/"); at >= 0; at = text.indexOf("/data/", at + 1)) {
      int storage = (at + 63) / 64 * 64;
      if (text.lastIndexOf("PK\u0003\u0004", at) > at - 100 && storage < bytes.length) {
        bytes[storage] ^= 1;
      }
    }
    Files.write(rank, bytes);

    ConvertRun run = convert(input, "--report");

    assertEquals(1, run.exitCode(), run::toString);
    assertTrue(run.err().get(0).contains("checksum"), run::toString);
    assertFalse(Files.exists(file()));
  }
}
