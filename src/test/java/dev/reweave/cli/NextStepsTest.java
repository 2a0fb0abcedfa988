package dev.reweave.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.testing.Fixtures;
import dev.reweave.testing.Launcher;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What {@code convert} says to do with its result. */
class NextStepsTest {
  private static final String TITLE = "next   load it with Python:";

  @TempDir Path temp;

  private ConvertRun convert(Path input, Path output, String... more) {
    List<Object> args = new ArrayList<>(List.of("-i", input, "-o", output));
    args.addAll(List.of(more));
    ConvertRun run = ConvertRun.of(args.toArray());
    assertEquals(0, run.exitCode(), run::toString);
    return run;
  }

  /** What is to be copied: all behind the title and an empty line. */
  private static List<String> code(ConvertRun run) {
    int title = run.out().indexOf(TITLE);
    assertTrue(title > 0, run::toString);
    assertEquals("", run.out().get(title + 1));
    return run.out().subList(title + 2, run.out().size());
  }

  @Test
  void aLanguageModel() {
    Path output = temp.resolve("out");
    Path fixture = Fixtures.folder("z3_bf16_w2_llama");
    ConvertRun run =
        convert(fixture.resolve("ckpt"), output, "--base", fixture.resolve("hf").toString());

    List<String> expected =
        List.of(
            "from transformers import AutoModelForCausalLM",
            "",
            "model = AutoModelForCausalLM.from_pretrained(\"" + output + "\")");
    assertEquals(expected, code(run));

    // What is done is as easy to load.
    ConvertRun again =
        convert(fixture.resolve("ckpt"), output, "--base", fixture.resolve("hf").toString());
    assertTrue(again.out().get(0).startsWith("up to date"), again::toString);
    assertEquals(expected, code(again));
  }

  @Test
  void aPartOfAPipeline() {
    Path output = temp.resolve("out");
    ConvertRun run =
        convert(
            Fixtures.folder("cog_z2_bf16_w2/ckpt"),
            output,
            "--base",
            Fixtures.folder("base_pipeline").toString());

    // This one's base has no text encoder, without which no pipeline loads.
    assertEquals(
        List.of(
            "import torch",
            "from diffusers import CogVideoXTransformer3DModel",
            "",
            "model = CogVideoXTransformer3DModel.from_pretrained(\""
                + output
                + "/transformer\", torch_dtype=torch.bfloat16)"),
        code(run));
  }

  @Test
  void anAdapter() {
    Path output = temp.resolve("out");
    ConvertRun run =
        convert(Fixtures.resource("adapters").resolve("layers/adapter.safetensors"), output);

    assertTrue(code(run).get(0).startsWith("from "), run::toString);
  }

  @Test
  void programsAndSeriesAreSparedIt() {
    Path input = Fixtures.folder("z2_bf16_w2/ckpt");
    ConvertRun json = convert(input, temp.resolve("json"), "--json");
    assertEquals(1, json.out().size());
    assertFalse(json.err().contains(TITLE), json::toString);

    ConvertRun all = convert(input, temp.resolve("all/{tag}"), "--tag", "all");
    assertFalse(all.out().contains(TITLE), all::toString);
  }

  /** Python finds the very folder, whatever it is called. */
  @Test
  void anyPathIsALiteral() throws IOException, InterruptedException {
    for (String name : List.of("plain", "it's \"a\" 100% ü", "$(x) `y` [z]\\")) {
      Path output = temp.resolve(name);
      ConvertRun run = convert(Fixtures.folder("z2_bf16_w2/ckpt"), output);

      String line = code(run).get(2);
      assertTrue(line.startsWith("tensors = load_file("), line);
      Path script =
          Files.writeString(
              temp.resolve("check.py"),
              "import os\ndef load_file(f):\n    assert os.path.isfile(f), f\n" + line + "\n");
      assertEquals(
          new Launcher.Result(0, "", ""),
          Launcher.begin(Map.of(), List.of("python3", script.toString())).await());
    }
  }
}
