package dev.reweave.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.reweave.testing.Fixtures;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a scheduler reads: one line of JSON for each conversion, and nothing else. */
class JsonReportTest {
  @TempDir Path temp;

  private static JsonNode only(ConvertRun run) throws IOException {
    assertEquals(1, run.out().size(), run::toString);
    return new ObjectMapper().readTree(run.out().get(0));
  }

  private static List<String> members(JsonNode line) {
    List<String> names = new ArrayList<>();
    line.fieldNames().forEachRemaining(names::add);
    return names;
  }

  private ConvertRun convert(String fixture, Object... more) {
    List<Object> args = new ArrayList<>();
    args.addAll(List.of("-i", Fixtures.folder(fixture).resolve("ckpt")));
    args.addAll(List.of("-o", temp.resolve("out"), "--json"));
    args.addAll(List.of(more));
    return ConvertRun.of(args.toArray());
  }

  @Test
  void aResult() throws IOException {
    ConvertRun run = convert("z2_bf16_w2", "--max-shard-size", "400");

    assertEquals(0, run.exitCode(), run::toString);
    JsonNode line = only(run);
    assertEquals(
        List.of(
            "status",
            "input",
            "output",
            "tag",
            "tensors",
            "bytes",
            "files",
            "nans",
            "infinities",
            "overflows",
            "underflows",
            "seconds"),
        members(line));
    assertEquals("converted", line.get("status").textValue());
    assertEquals(
        "file:" + Fixtures.folder("z2_bf16_w2").resolve("ckpt"), line.get("input").textValue());
    assertEquals("file:" + temp.resolve("out"), line.get("output").textValue());
    assertEquals("global_step3", line.get("tag").textValue());
    List<Path> files;
    try (var all = Files.list(temp.resolve("out"))) {
      files = all.filter(f -> !f.endsWith("reweave.json")).toList();
    }
    long bytes = 0;
    for (Path file : files) {
      bytes += Files.size(file);
    }
    assertEquals(files.size(), line.get("files").intValue());
    assertEquals(bytes, line.get("bytes").longValue());
    assertTrue(line.get("tensors").intValue() > 1);
    assertTrue(line.get("seconds").isNumber());
    assertTrue(run.err().get(0).startsWith("read   DeepSpeed 0.19.6, ZeRO-2"), run::toString);
    assertTrue(
        run.err().get(run.err().size() - 1).startsWith("to     file:" + temp), run::toString);
  }

  @Test
  void upToDate() throws IOException {
    JsonNode made = only(convert("z2_bf16_w2"));
    ConvertRun again = convert("z2_bf16_w2");

    assertEquals(0, again.exitCode());
    JsonNode line = only(again);
    assertEquals("up to date", line.get("status").textValue());
    for (String member : List.of("input", "output", "tag", "tensors", "bytes", "files")) {
      assertEquals(made.get(member), line.get(member));
    }
  }

  @Test
  void aFailure() throws IOException {
    ConvertRun run = convert("corrupt/z3_flipped_byte", "--tag", "global_step3");

    assertEquals(1, run.exitCode());
    JsonNode line = only(run);
    assertEquals(List.of("status", "input", "output", "tag", "seconds", "error"), members(line));
    assertEquals("failed", line.get("status").textValue());
    assertEquals(List.of("kind", "problem", "place", "remedy"), members(line.get("error")));
    assertEquals("damaged-input", line.get("error").get("kind").textValue());
    assertEquals(
        "damaged weights: the checksum of a storage is not the one that was saved with it",
        line.get("error").get("problem").textValue());
    assertTrue(line.get("error").get("place").textValue().contains("_optim_states.pt, "));
    assertTrue(line.get("error").get("remedy").textValue().startsWith("copy the file"));
    assertEquals(1, run.err().size(), run::toString);
    assertTrue(run.err().get(0).startsWith("reweave: damaged weights: "), run::toString);
  }

  @Test
  void whereNothingIsKnownOfTheStep() throws IOException {
    ConvertRun run =
        ConvertRun.of("-i", temp.resolve("none"), "-o", temp + "/{tag}", "--tag", "new", "--json");

    assertEquals(1, run.exitCode());
    JsonNode line = only(run);
    assertEquals(List.of("status", "input", "output", "seconds", "error"), members(line));
    assertEquals("file:" + temp + "/{tag}", line.get("output").textValue());
    assertEquals("no such file or folder", line.get("error").get("problem").textValue());
  }

  @Test
  void oneLineForEachOfSeveral() throws IOException {
    Path input = Fixtures.folder("z2_bf16_w2_tags").resolve("ckpt");

    ConvertRun run = ConvertRun.of("-i", input, "-o", temp + "/{tag}", "--tag", "all", "--json");

    assertEquals(0, run.exitCode(), run::toString);
    List<String> tags = new ArrayList<>();
    for (String line : run.out()) {
      tags.add(new ObjectMapper().readTree(line).get("tag").textValue());
    }
    assertEquals(List.of("global_step1", "global_step3", "my-tag 2"), tags);
    assertEquals(3, run.table().size());
    assertTrue(run.err().contains("3 conversions: 3 converted, 0 up to date, 0 failed"));
  }

  @Test
  void failuresBeforeTheFirstConversion() throws IOException {
    ConvertRun list = ConvertRun.of("--list", temp.resolve("none"), "--json");
    assertEquals(1, list.exitCode());
    assertEquals(List.of("status", "seconds", "error"), members(only(list)));

    ConvertRun again = ConvertRun.of("--again", temp.resolve("none"), "--json");
    assertEquals(1, again.exitCode());
    assertEquals("no manifest is there", only(again).get("error").get("problem").textValue());
  }

  @Test
  void aClusterThatIsNotThere() throws IOException {
    ConvertRun run =
        ConvertRun.with(
            (name, work) -> {
              throw new IllegalStateException("no master answers");
            },
            "-i",
            "s3a://bucket/in?signature=secret",
            "-o",
            "out/{date}",
            "--json");

    assertEquals(1, run.exitCode());
    JsonNode line = only(run);
    assertEquals("s3a://bucket/in?***", line.get("input").textValue());
    assertEquals(
        "internal error: java.lang.IllegalStateException: no master answers",
        line.get("error").get("problem").textValue());
    assertEquals("internal", line.get("error").get("kind").textValue());
    assertEquals("'reweave convert'", line.get("error").get("place").textValue());
    assertTrue(run.err().get(0).contains("no master answers"), run::toString);
  }

  @Test
  void wrongUsageHasNoLine() {
    ConvertRun run = ConvertRun.of("-i", "i", "--json");
    assertEquals(2, run.exitCode());
    assertEquals(List.of(), run.out());

    ConvertRun plan = convert("z2_bf16_w2", "--dry-run");
    assertEquals(2, plan.exitCode());
    assertEquals(List.of(), plan.out());
    assertFalse(Files.exists(temp.resolve("out")));
  }
}
