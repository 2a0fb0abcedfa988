package dev.reweave.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.reweave.checkpoint.ReadOptions;
import dev.reweave.convert.ConversionOptions;
import dev.reweave.convert.ConversionRequest;
import dev.reweave.convert.ConversionRequest.Earlier;
import dev.reweave.convert.ConversionRequest.ExistingOutput;
import dev.reweave.convert.Preparation;
import dev.reweave.plan.PlanOptions;
import dev.reweave.storage.Stores;
import dev.reweave.storage.ThreadScanner;
import dev.reweave.testing.Fixtures;
import dev.reweave.testing.Locations;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What {@code reweave doctor} prints, and its exit codes. */
class DoctorCommandTest {
  @TempDir Path temp;
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  private int run(String... args) {
    return Main.run(new PrintWriter(out, true), new PrintWriter(err, true), args);
  }

  private List<String> lines() {
    return out.toString().lines().toList();
  }

  private static String fixture(String name) {
    return Fixtures.folder(name).toString();
  }

  @Test
  void aGoodCheckpoint() {
    assertEquals(0, run("doctor", fixture("z2_bf16_w2/ckpt")));

    assertEquals("", err.toString());
    assertEquals(8, lines().size(), out::toString);
    assertTrue(lines().get(0).startsWith("INFO     DeepSpeed 0.19.6, ZeRO stage 2"), out::toString);
    assertTrue(
        lines().get(3).contains("read as DeepSpeed 0.19.6, ZeRO-2, 2 ranks, tag global_step3"),
        out::toString);
    assertEquals("good: nothing to complain about", lines().get(7));
  }

  @Test
  void aWarningIsNoFailure() {
    assertEquals(0, run("doctor", fixture("legacy_z2_fp16_w3/ckpt")));

    assertTrue(lines().get(0).startsWith("WARNING  files of torch.save's legacy format"));
    assertEquals("0 problems, 1 warning", lines().get(lines().size() - 1));
  }

  @Test
  void aBadCheckpoint() {
    String input = fixture("corrupt/z2_missing_rank/ckpt");

    assertEquals(1, run("doctor", input));

    assertEquals(
        List.of(
            "PROBLEM  not all files are there: rank 1 is missing, of 2 data-parallel ranks,"
                + " numbered 0 to 1 (file:"
                + input
                + "/global_step3/bf16_zero_pp_rank_1_mp_rank_00_optim_states.pt): the checkpoint"
                + " was not saved whole, or files of two runs are mixed: copy the files of this"
                + " step from the training run again, or convert another tag with --tag",
            "1 problem, 0 warnings"),
        lines());
  }

  @Test
  void checksumsOnRequest() {
    String input = fixture("corrupt/z3_flipped_byte/ckpt");

    assertEquals(0, run("doctor", input));
    assertEquals(1, run("doctor", input, "--checksums"));
  }

  @Test
  void anotherTagIsExamined() {
    String input = fixture("corrupt/z2_latest_missing_tag/ckpt");

    assertEquals(1, run("doctor", input));
    assertEquals(0, run("doctor", input, "--tag", "global_step3"));
  }

  @Test
  void oneDocument() throws IOException {
    assertEquals(1, run("doctor", fixture("base_pipeline"), "--json"));

    JsonNode report = new ObjectMapper().readTree(out.toString());
    assertEquals("file:" + fixture("base_pipeline"), report.get("path").textValue());
    assertEquals(2, report.get("problems").intValue());
    assertEquals(0, report.get("warnings").intValue());
    assertEquals("2 problems, 0 warnings", report.get("verdict").textValue());
    JsonNode first = report.get("findings").get(0);
    assertEquals("PROBLEM", first.get("severity").textValue());
    assertTrue(first.get("problem").textValue().contains("text_encoder"));
    assertEquals(
        "file:" + fixture("base_pipeline") + "/text_encoder", first.get("place").textValue());
    assertTrue(first.get("remedy").textValue().contains("copy it"));
  }

  @Test
  void aBase() {
    assertEquals(
        0,
        run(
            "doctor",
            fixture("cog_z3_bf16_w2/ckpt"),
            "--base",
            fixture("base_pipeline_sharded_transformer")));
  }

  @Test
  void wrongUsage() {
    assertEquals(2, run("doctor"));
    assertTrue(err.toString().contains("URI"));
  }

  @Test
  void aConversionNotesWhatTheDoctorWarnsOf() {
    Stores stores = new Stores(new Configuration());
    List<String> notes =
        new Preparation(stores, new ThreadScanner(stores))
            .prepare(
                new ConversionRequest(
                    Locations.of(fixture("legacy_z2_fp16_w3/ckpt")),
                    Locations.of(temp.resolve("out")),
                    new ConversionOptions(
                        ReadOptions.defaults(),
                        PlanOptions.DEFAULTS,
                        ExistingOutput.REFUSE,
                        Earlier.CONTINUE)))
            .notes();

    assertEquals(1, notes.size());
    assertTrue(notes.get(0).startsWith("files of torch.save's legacy format keep no checksums"));
  }
}
