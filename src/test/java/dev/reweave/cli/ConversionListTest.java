package dev.reweave.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.manifest.Manifest;
import dev.reweave.tensor.DType;
import dev.reweave.testing.Fixtures;
import dev.reweave.testing.StoredTensors;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Many checkpoints with one command. */
class ConversionListTest {
  @TempDir Path temp;

  private Path list(String... lines) throws IOException {
    return Files.write(temp.resolve("list.jsonl"), List.of(lines));
  }

  private static String line(String fixture, Path output, String more) {
    return String.format(
        "{\"input\": \"%s\", \"output\": \"%s\"%s}",
        Fixtures.folder(fixture).resolve("ckpt"), output, more);
  }

  private void assertHolds(String fixture, DType type, String output) throws IOException {
    assertEquals(
        StoredTensors.of(Fixtures.folder(fixture).resolve("expected.safetensors"), type),
        StoredTensors.of(temp.resolve(output).resolve("model.safetensors")));
  }

  @Test
  void oneFailureDoesNotEndTheOthers() throws IOException {
    Path list =
        list(
            line("z2_bf16_w2", temp.resolve("a"), ""),
            "",
            line("corrupt/z3_flipped_byte", temp.resolve("b"), ""),
            line("z3_bf16_w2", temp.resolve("c"), ", \"dtype\": \"float32\""),
            line("nowhere", temp.resolve("d"), ""));

    ConvertRun run = ConvertRun.of("--list", list, "--dtype", "bfloat16");

    assertEquals(1, run.exitCode());
    assertTrue(run.out().contains("4 conversions: 2 converted, 0 up to date, 2 failed"));
    List<String> table = run.table();
    assertEquals(4, table.size(), run::toString);
    assertTrue(table.get(0).matches("converted \\S+ file:\\S+/a \\d+ tensors, .* s"), table.get(0));
    assertTrue(table.get(1).startsWith("failed "), table.get(1));
    assertTrue(table.get(1).contains("/b damaged weights: "), table.get(1));
    assertTrue(table.get(2).contains("/c "), table.get(2));
    assertTrue(table.get(3).contains("/d no such file or folder: "), table.get(3));
    assertEquals(2, run.err().size(), run::toString);
    assertTrue(run.err().get(0).startsWith("reweave: damaged weights: "), run::toString);
    assertHolds("z2_bf16_w2", DType.BF16, "a");
    assertHolds("z3_bf16_w2", DType.F32, "c");
    assertFalse(Files.exists(temp.resolve("b")));
    assertFalse(Files.exists(temp.resolve("d")));
  }

  private int filesReadBack(String output) throws IOException {
    return Manifest.parse(
            Files.readAllBytes(temp.resolve(output).resolve(Manifest.FILE_NAME)), output)
        .figures()
        .filesReadBack();
  }

  @Test
  void aLineCanSayNoToAFlag() throws IOException {
    Path list =
        list(
            line("z2_bf16_w2", temp.resolve("a"), ""),
            line("z2_bf16_w2", temp.resolve("b"), ", \"verify\": false"),
            line("z2_bf16_w2", temp.resolve("c"), ", \"verify\": true"));

    assertEquals(0, ConvertRun.of("--list", list, "--verify").exitCode());
    assertEquals(
        List.of(1, 0, 1), List.of(filesReadBack("a"), filesReadBack("b"), filesReadBack("c")));
    assertEquals(
        0, ConvertRun.of("--list", list, "--no-verify", "--overwrite", "--no-resume").exitCode());
    assertEquals(
        List.of(0, 0, 1), List.of(filesReadBack("a"), filesReadBack("b"), filesReadBack("c")));
  }

  @Test
  void theSameListAgain() throws IOException {
    Path list =
        list(
            line("z2_bf16_w2", temp.resolve("a"), ""),
            line("z2_bf16_w2_tags", temp.resolve("tags/{tag}"), ", \"tag\": \"all\""));
    assertEquals(0, ConvertRun.of("--list", list).exitCode());
    var made = Fixtures.digests(temp);

    ConvertRun run = ConvertRun.of("--list", list);

    assertEquals(0, run.exitCode(), run::toString);
    assertTrue(run.out().contains("4 conversions: 0 converted, 4 up to date, 0 failed"));
    assertEquals(made, Fixtures.digests(temp));
  }

  @Test
  void optionsOfTheCommandCountWhereALineHasNone() throws IOException {
    Path list =
        list(
            "{\"tag\": \"global_step1\", \"prove\": false, \"no-proof\": true}",
            "{\"tag\": \"global_step3\", \"max-shard-size\": \"60\"}");

    ConvertRun run =
        ConvertRun.of(
            "--list",
            list,
            "-i",
            Fixtures.folder("z2_bf16_w2_tags").resolve("ckpt"),
            "-o",
            temp + "/{tag}",
            "--prove");

    assertEquals(0, run.exitCode(), run::toString);
    assertEquals(1, run.out().stream().filter(l -> l.startsWith("proof ")).count(), run::toString);
    assertTrue(Files.exists(temp.resolve("global_step1/model.safetensors")));
    assertTrue(Files.exists(temp.resolve("global_step3/model.safetensors.index.json")));
  }

  @Test
  void twoLinesWithOneOutput() throws IOException {
    Path list =
        list(
            line("z2_bf16_w2", temp.resolve("a"), ""),
            line("z3_bf16_w2", temp.resolve("b/../a"), ", \"overwrite\": true"));

    ConvertRun run = ConvertRun.of("--list", list);

    assertEquals(1, run.exitCode());
    assertTrue(
        run.err().get(0).contains("an earlier one of these conversions has the same output"),
        run::toString);
    assertHolds("z2_bf16_w2", DType.F32, "a");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "{\"input\": \"i\", \"output\": \"o\", \"dtpye\": \"keep\"} | unknown key 'dtpye'; known are"
            + " adapter, adapter-config, average-tags, base,",
        "{\"input\": \"i\", \"output\": \"o\", \"json\": true} | unknown key 'json'",
        "{\"input\": \"i\", \"output\": \"o\" | not valid JSON",
        "{\"input\": \"i\", \"input\": \"j\", \"output\": \"o\"} | Duplicate field 'input'",
        "i o | not valid JSON",
        "[[[[[[[[[[[[[[[[[ | JSON is nested too deep or has too long a number",
        "{\"\\u001b[1m\": \"i\"} | unknown key '\\u001b[1m'",
        "{\"input\": \"i\", \"max-metadata-bytes\": \"0\"} | '0' is not a size",
        "[1] | not a JSON object such as",
        "{\"input\": 7, \"output\": \"o\"} | 'input' is not a text",
        "{\"input\": \"i\", \"output\": \"\"} | 'output' is not a text",
        "{\"input\": \"i\", \"output\": \"o\", \"prove\": \"yes\"} | 'prove' is not true or false",
        "{\"input\": \"i\"} | --output is needed",
        "{\"output\": \"o\"} | --input is needed",
        "{\"input\": \"i\", \"output\": \"o\", \"dtype\": \"int8\"} | is not one of float32",
        "{\"input\": \"i\", \"output\": \"o/{x}\"} | '{x}' in --output is no placeholder",
        "{\"input\": \"i\", \"output\": \"o\", \"tag\": \"new\"} | put {tag} in --output",
      })
  void aWrongLineIsNamedAndNothingIsBegun(String wrong, String message) throws IOException {
    Path list = list(line("z2_bf16_w2", temp.resolve("a"), ""), wrong);

    ConvertRun run = ConvertRun.of("--list", list, "--json");

    assertEquals(2, run.exitCode(), run::toString);
    assertTrue(run.err().get(0).startsWith("file:" + list + ", line 2: "), run::toString);
    assertTrue(run.err().get(0).contains(message), run::toString);
    assertEquals(List.of(), run.out());
    assertFalse(Files.exists(temp.resolve("a")));
  }

  @Test
  void listsThatAreNone() throws IOException {
    ConvertRun empty = ConvertRun.of("--list", list("", "  "));
    assertEquals(2, empty.exitCode());
    assertTrue(empty.err().get(0).endsWith("list.jsonl: no line with a conversion"));

    Files.write(temp.resolve("list.jsonl"), new byte[] {'{', (byte) 0xFF});
    ConvertRun binary = ConvertRun.of("--list", temp.resolve("list.jsonl"));
    assertEquals(2, binary.exitCode());
    assertTrue(binary.err().get(0).endsWith("list.jsonl: text is not valid UTF-8"));

    ConvertRun missing = ConvertRun.of("--list", temp.resolve("none"));
    assertEquals(1, missing.exitCode());
    assertTrue(missing.err().get(0).startsWith("reweave: no list is there: "), missing::toString);
  }

  @Test
  void whatDoesNotGoTogether() throws IOException {
    Path list = list(line("z2_bf16_w2", temp.resolve("a"), ""));

    ConvertRun plan = ConvertRun.of("--list", list, "--dry-run");
    assertEquals(2, plan.exitCode());
    assertTrue(plan.err().get(0).contains("go neither with --list nor with --json"));

    ConvertRun again = ConvertRun.of("--list", list, "--again", "reweave.json");
    assertEquals(2, again.exitCode());
    assertTrue(again.err().get(0).contains("--list and --again do not go together"));
    assertFalse(Files.exists(temp.resolve("a")));
  }
}
