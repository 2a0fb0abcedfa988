package dev.reweave.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.reweave.tensor.Shape;
import dev.reweave.testing.Fixtures;
import dev.reweave.testing.ReportFile;
import dev.reweave.testing.SafetensorsFile;
import dev.reweave.testing.TestHdfs;
import dev.reweave.testing.TestSpark;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** {@code reweave report}: of folders, checkpoints and pairs of models. */
class ReportCommandTest {
  @TempDir Path temp;
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  private record Factory() implements CommandLine.IFactory {
    @Override
    public <K> K create(Class<K> type) throws Exception {
      return type == ReportCommand.class
          ? type.cast(new ReportCommand((name, work) -> work.accept(TestSpark.cluster())))
          : CommandLine.defaultFactory().create(type);
    }
  }

  private int report(Object... args) {
    String[] command =
        Stream.concat(Stream.of("report", "-o", file()), Stream.of(args))
            .map(Object::toString)
            .toArray(String[]::new);
    return Main.run(new PrintWriter(out, true), new PrintWriter(err, true), new Factory(), command);
  }

  private Path file() {
    return temp.resolve("page.html");
  }

  /** The same numbers as the conversion had when it wrote them, but for the bytes' order. */
  @Test
  void ofAConvertedFolder() throws IOException {
    Path model = temp.resolve("model");
    ConvertRun converted =
        ConvertRun.of(
            "-i",
            Fixtures.folder("z2_bf16_w2/ckpt"),
            "-o",
            model,
            "--report",
            "--max-shard-size",
            "600");
    assertEquals(0, converted.exitCode(), converted::toString);

    assertEquals(0, report(model), err::toString);

    ReportFile then = ReportFile.read(model.resolve("reweave-report.html"));
    ReportFile now = ReportFile.read(file());
    assertEquals("conversion", now.data().path("subject").path("kind").asText());
    assertEquals(then.data().path("facts"), now.data().path("facts"));
    assertEquals(then.data().path("checks"), now.data().path("checks"));
    assertEquals(then.data().path("shards"), now.data().path("shards"));
    assertEquals(then.data().path("tensors"), now.data().path("tensors"));
    assertEquals(then.data().path("histogram"), now.data().path("histogram"));
  }

  /** A model that was converted from one store to another is read where it lies. */
  @Test
  void ofAConvertedFolderOnHdfs() throws IOException {
    String model = TestHdfs.fileSystem().getUri() + "/reported/model";
    ConvertRun converted =
        ConvertRun.of(
            "-i", Fixtures.folder("z2_bf16_w2/ckpt"), "-o", model, "--max-shard-size", "600");
    assertEquals(0, converted.exitCode(), converted::toString);
    Path local = temp.resolve("model");
    ConvertRun beside =
        ConvertRun.of(
            "-i", Fixtures.folder("z2_bf16_w2/ckpt"), "-o", local, "--max-shard-size", "600");
    assertEquals(0, beside.exitCode(), beside::toString);

    assertEquals(0, report(model), err::toString);
    ReportFile ofStore = ReportFile.read(file());
    assertEquals(0, report(local, "--overwrite"), err::toString);

    ReportFile ofDisk = ReportFile.read(file());
    assertEquals("conversion", ofStore.data().path("subject").path("kind").asText());
    assertEquals(model, ofStore.data().path("subject").path("address").asText());
    assertEquals(ofDisk.data().path("shards"), ofStore.data().path("shards"));
    assertEquals(ofDisk.data().path("tensors"), ofStore.data().path("tensors"));
    assertEquals(ofDisk.data().path("histogram"), ofStore.data().path("histogram"));
    assertTrue(ofStore.data().path("tensors").path("name").size() > 1, ofStore.data()::toString);
  }

  @Test
  void ofACheckpoint() throws IOException {
    assertEquals(0, report(Fixtures.folder("z3_fp16_w3/ckpt")), err::toString);

    ReportFile made = ReportFile.read(file());
    assertEquals("checkpoint", made.data().path("subject").path("kind").asText());
    for (int i = 0; i < made.histograms().size(); i++) {
      assertEquals(
          made.column("elements").get(i).asLong(),
          Arrays.stream(made.histograms().get(i)).sum()
              + made.column("zeros").get(i).asLong()
              + made.column("nans").get(i).asLong()
              + made.column("infinities").get(i).asLong());
    }
    assertTrue(
        made.data().path("tasks").findValues("read").stream().anyMatch(n -> n.asLong() > 0),
        made.data()::toString);
  }

  @Test
  void ofTwoModels() throws IOException {
    Path base =
        new SafetensorsFile()
            .with("frozen", Shape.of(2), 1, 2)
            .with("tuned", Shape.of(2), 3, 4)
            .with("old", Shape.of(1), 1)
            .write(temp.resolve("base.safetensors"));
    Path tuned =
        new SafetensorsFile()
            .with("frozen", Shape.of(2), 1, 2)
            .with("tuned", Shape.of(2), 3, 3)
            .with("new", Shape.of(1), 1)
            .write(temp.resolve("tuned.safetensors"));

    assertEquals(0, report(tuned, "--against", base), err::toString);

    ReportFile made = ReportFile.read(file());
    Map<String, JsonNode> change = new HashMap<>();
    Map<String, JsonNode> differing = new HashMap<>();
    for (int i = 0; i < made.column("name").size(); i++) {
      change.put(made.column("name").get(i).asText(), made.column("change").get(i));
      differing.put(made.column("name").get(i).asText(), made.column("differing").get(i));
    }
    assertEquals("model", made.data().path("subject").path("kind").asText());
    assertEquals("file:" + base, made.data().path("subject").path("against").asText());
    assertEquals(0, change.get("frozen").asDouble(-1));
    assertEquals(0.2, change.get("tuned").asDouble(), 1e-15);
    assertEquals(1, differing.get("tuned").asInt());
    assertTrue(change.get("new").isNull());
    assertTrue(differing.get("new").isNull());
    assertEquals("[\"new\"]", made.data().path("onlyHere").toString());
    assertEquals("[\"old\"]", made.data().path("onlyThere").toString());
  }

  @Test
  void aFileThatIsThereIsKept() throws IOException {
    Files.writeString(file(), "mine");
    Path model = Fixtures.folder("z2_bf16_w2/ckpt");

    assertEquals(1, report(model));

    assertTrue(
        err.toString().startsWith("reweave: there is a file where the report is to be written"),
        err::toString);
    assertEquals("mine", Files.readString(file()));
    assertEquals(0, report(model, "--overwrite"), err::toString);
    assertEquals(1, ReportFile.read(file()).data().path("format").asInt());
  }

  @Test
  void whatIsNotThereIsToldBeforeTheWork() {
    for (List<Object> args :
        List.<List<Object>>of(
            List.of(temp.resolve("none")),
            List.of(Fixtures.folder("z2_bf16_w2/ckpt"), "--against", temp.resolve("none")))) {
      assertEquals(1, report(args.toArray()));
      assertTrue(err.toString().contains("there is no such file or folder"), err::toString);
    }
    assertTrue(Files.notExists(file()));
  }
}
