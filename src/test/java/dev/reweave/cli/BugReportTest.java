package dev.reweave.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.reweave.testing.Fixtures;
import dev.reweave.testing.S3Server;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What {@code --report-bug} writes, of commands that really run. */
class BugReportTest {
  /** What nobody outside may read. */
  private static final List<String> NAMES = List.of("johanna", "acme", "zebra", "secretdir");

  @TempDir Path temp;

  private final List<String> set = new ArrayList<>();

  private Path file() {
    return temp.resolve("bug.json");
  }

  private void set(String setting, String value) {
    set.add(setting);
    System.setProperty(setting, value);
  }

  @AfterEach
  void forgetSettings() {
    set.forEach(System::clearProperty);
  }

  private ConvertRun run(String... args) {
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();
    int code = Main.run(new PrintWriter(out, true), new PrintWriter(err, true), args);
    return new ConvertRun(code, out.toString().lines().toList(), err.toString().lines().toList());
  }

  /** The report, once it is sure that nothing of whose it is stands in it. */
  private JsonNode report(String... more) throws IOException {
    String text = Files.readString(file());
    List<String> forbidden = new ArrayList<>(NAMES);
    forbidden.addAll(List.of(more));
    forbidden.add(temp.getFileName().toString());
    forbidden.add(System.getProperty("user.home"));
    forbidden.add(System.getProperty("user.dir"));
    String host = InetAddress.getLocalHost().getHostName();
    // A shorter one can be a part of any word.
    if (host.length() > 3) {
      forbidden.add(host);
    }
    for (String name : forbidden) {
      assertFalse(
          text.toLowerCase(Locale.ROOT).contains(name.toLowerCase(Locale.ROOT)),
          name + " is in " + text);
    }
    return new ObjectMapper().readTree(text);
  }

  private static List<String> texts(JsonNode array) {
    List<String> texts = new ArrayList<>();
    array.forEach(text -> texts.add(text.textValue()));
    return texts;
  }

  private static String wrote(Path file) {
    return "reweave: wrote the bug report to " + file + "; look it through before you send it";
  }

  @Test
  void aConversionThatSucceeds() throws IOException {
    Path input =
        Fixtures.copy(Fixtures.folder("z2_bf16_w2/ckpt"), temp.resolve("johanna doe/acme/run-17"));

    ConvertRun run =
        ConvertRun.of(
            "-i",
            input,
            "--output=" + temp.resolve("secretdir"),
            "--dtype",
            "bfloat16",
            "--max-shard-size",
            "400",
            "--report-bug",
            file());

    assertEquals(0, run.exitCode(), run::toString);
    assertEquals(List.of(wrote(file())), run.err());
    JsonNode report = report();
    assertEquals(0, report.get("exitCode").intValue());
    assertEquals(0, report.get("errors").size());
    assertEquals(
        List.of(
            "convert",
            "-i",
            "…",
            "--output=…",
            "--dtype",
            "bfloat16",
            "--max-shard-size",
            "400",
            "--report-bug",
            "…"),
        texts(report.get("command")));
    for (String program : List.of("reweave", "spark", "scala", "hadoop", "java", "os")) {
      assertFalse(report.get("versions").get(program).textValue().isBlank(), program);
    }
    JsonNode plan = report.get("plans").get(0);
    assertEquals("DeepSpeed", plan.get("framework").textValue());
    assertEquals("0.19.6", plan.get("version").textValue());
    assertEquals(2, plan.get("zeroStage").intValue());
    assertEquals(2, plan.get("ranks").intValue());
    assertEquals("bf16", plan.get("precision").textValue());
    assertEquals("master", plan.get("weights").textValue());
    int tensors = plan.get("tensors").intValue();
    assertTrue(tensors > 1);
    assertTrue(plan.get("shards").intValue() > 1);
    assertEquals(tensors, plan.get("madeTypes").get("bfloat16").intValue());
    assertTrue(plan.get("files").intValue() > 1);
    for (String figure : List.of("elements", "chunks", "chunkBytes", "bytesToRead", "fileBytes")) {
      assertTrue(plan.get(figure).longValue() > 0, figure);
    }
  }

  @Test
  void aDamagedCheckpoint() throws IOException {
    Path input =
        Fixtures.copy(Fixtures.folder("corrupt/z3_flipped_byte/ckpt"), temp.resolve("acme zebra"));

    ConvertRun run =
        ConvertRun.of("-i", input, "-o", temp.resolve("out"), "--report-bug=" + file());

    assertEquals(1, run.exitCode());
    assertTrue(run.err().get(0).startsWith("reweave: damaged weights: "), run::toString);
    assertEquals(List.of(wrote(file())), run.err().subList(1, run.err().size()));
    JsonNode report = report();
    JsonNode error = report.get("errors").get(0);
    assertEquals("damaged-input", error.get("kind").textValue());
    assertTrue(error.get("trace").size() > 5);
    assertTrue(
        texts(error.get("trace")).stream()
            .anyMatch(l -> l.matches("  at dev\\.reweave\\..*\\(StorageChecks\\.java:\\d+\\)")),
        error::toPrettyString);
  }

  @Test
  void aBucketThatIsNotThere() throws IOException {
    Map<String, String> settings = new TreeMap<>(S3Server.shared().settings());
    settings.put("fs.s3a.access.key", "AKIAZEBRAZEBRAZEBRA7");
    settings.put("fs.s3a.secret.key", "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");
    settings.put("fs.s3a.bucket.acme-other.session.token", "tok3n-of-zebra");
    settings.forEach((key, value) -> set("spark.hadoop." + key, value));
    set("spark.executorEnv.ZEBRA", "x");
    set("spark.executor.memory", "3g");

    ConvertRun run =
        run("inspect", "s3a://acme-bucket/johanna/global_step7", "--report-bug", file().toString());

    assertEquals(1, run.exitCode(), run::toString);
    assertTrue(run.err().get(0).contains("acme-bucket"), run::toString);
    JsonNode report = report("AKIAZ", "wJalr", "tok3n");
    assertEquals(List.of("inspect", "…", "--report-bug", "…"), texts(report.get("command")));
    JsonNode shown = report.get("settings");
    assertEquals("true", shown.get("fs.s3a.path.style.access").textValue());
    assertEquals("3g", shown.get("spark.executor.memory").textValue());
    for (String unseen :
        List.of("fs.s3a.secret.key", "fs.s3a.endpoint", "spark.executorEnv.ZEBRA")) {
      assertFalse(shown.has(unseen), unseen);
    }
  }

  @Test
  void wrongUsage() throws IOException {
    ConvertRun run =
        ConvertRun.of(
            "--acme=zebra",
            "-i",
            "s3a://johanna/x",
            "-osecretdir",
            "--dtype",
            "acme/zebra",
            "--report-bug",
            file());

    assertEquals(2, run.exitCode());
    JsonNode report = report();
    assertEquals(2, report.get("exitCode").intValue());
    JsonNode error = report.get("errors").get(0);
    assertEquals("usage", error.get("kind").textValue());
  }

  @Test
  void nothingIsOverwritten() throws IOException {
    Files.writeString(file(), "mine");

    ConvertRun run =
        ConvertRun.of(
            "-i",
            Fixtures.folder("z2_bf16_w2").resolve("ckpt"),
            "-o",
            temp.resolve("out"),
            "--report-bug",
            file());

    assertEquals(2, run.exitCode());
    assertEquals("--report-bug: " + file() + " is there already", run.err().get(0));
    assertEquals("mine", Files.readString(file()));
    assertFalse(Files.exists(temp.resolve("out")));
  }

  @Test
  void aReportThatCannotBeWritten() {
    String good = Fixtures.folder("z2_bf16_w2").resolve("ckpt").toString();
    String file = temp.resolve("none/bug.json").toString();
    String told =
        "reweave: the bug report is not written: java.nio.file.NoSuchFileException: "
            + file
            + "; name another file";

    ConvertRun fine = run("inspect", good, "--report-bug", file);
    assertEquals(1, fine.exitCode());
    assertEquals(List.of(told), fine.err());
    assertFalse(fine.out().isEmpty());

    ConvertRun failed = run("inspect", temp + "/nothing", "--report-bug", file);
    assertEquals(1, failed.exitCode());
    assertEquals(
        List.of(
            "reweave: no such file or folder: file:"
                + temp
                + "/nothing; check the address and its spelling",
            told),
        failed.err());
  }

  @Test
  void defectsAndErrorsOfTheMachine() throws IOException {
    ConvertRun run =
        ConvertRun.with(
            (name, work) -> {
              throw new StackOverflowError("deep in s3a://acme/zebra");
            },
            "-i",
            "s3a://acme/in",
            "-o",
            "s3a://acme/out",
            "--report-bug",
            file());

    assertEquals(1, run.exitCode());
    assertEquals(
        List.of(
            "reweave: internal error: java.lang.StackOverflowError: deep in s3a://acme/zebra:"
                + " 'reweave convert'; this is a defect of Reweave: run the same command with"
                + " --report-bug FILE and send in that file",
            wrote(file())),
        run.err());
    JsonNode error = report().get("errors").get(0);
    assertEquals("internal", error.get("kind").textValue());
    assertTrue(
        texts(error.get("trace")).contains("java.lang.StackOverflowError"), error::toPrettyString);
  }

  @Test
  void whatNoNameCanBeIn() throws IOException {
    ConvertRun run =
        ConvertRun.with(
            (name, work) -> {
              throw new IllegalStateException(
                  "at s3a://acme/zebra", new IndexOutOfBoundsException("Index 5 of 3"));
            },
            "-i",
            "s3a://acme/in",
            "-o",
            "s3a://acme/out",
            "--report-bug",
            file());

    assertEquals(1, run.exitCode());
    List<String> trace = texts(report().get("errors").get(0).get("trace"));
    assertTrue(trace.contains("java.lang.IllegalStateException"), trace::toString);
    assertTrue(
        trace.contains("java.lang.IndexOutOfBoundsException: Index 5 of 3"), trace::toString);
  }
}
