package dev.reweave.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.testing.Fixtures;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A dry run says all that would stop the conversion before it writes, and writes nothing. */
class DryRunTest {
  @TempDir Path temp;

  private ConvertRun run(Object... more) {
    List<Object> args = new java.util.ArrayList<>();
    args.addAll(List.of("-i", Fixtures.folder("z2_bf16_w2/ckpt"), "-o", temp.resolve("out")));
    args.addAll(List.of(more));
    return ConvertRun.of(args.toArray());
  }

  private void refused(String message, Object... more) throws IOException {
    Map<String, String> before = Fixtures.digests(temp);
    for (boolean dry : List.of(true, false)) {
      List<Object> args = new java.util.ArrayList<>(List.of(more));
      if (dry) {
        args.add("--dry-run");
      }
      ConvertRun run = run(args.toArray());
      assertEquals(1, run.exitCode(), run::toString);
      assertEquals(1, run.err().size(), run::toString);
      assertTrue(run.err().get(0).contains(message), run::toString);
    }
    assertEquals(before, Fixtures.digests(temp));
  }

  @Test
  void aNameThatIsTooLong() throws IOException {
    refused(
        "the name of a file is too long: 312 bytes, and 249 can be written here",
        "--weights-name",
        "n".repeat(300));
    ConvertRun run = run("--weights-name", "n".repeat(237));
    assertEquals(0, run.exitCode(), run::toString);
  }

  @Test
  void anOutputThatIsNotEmpty() throws IOException {
    Files.createDirectories(temp.resolve("out"));
    Files.writeString(temp.resolve("out/thesis.tex"), "mine");

    refused("the output is not empty: it holds thesis.tex");

    assertEquals(0, run("--dry-run", "--overwrite").exitCode());
    assertEquals(List.of("out/thesis.tex"), List.copyOf(Fixtures.digests(temp).keySet()));
  }

  @Test
  void anOutputThatIsDone() throws IOException {
    assertEquals(0, run().exitCode());
    Map<String, String> made = Fixtures.digests(temp);

    assertEquals(0, run("--dry-run").exitCode());
    refused("the output is not empty: it holds ", "--dtype", "float16");

    assertEquals(made, Fixtures.digests(temp));
  }

  @Test
  void anOutputInTheInput() throws IOException {
    Path input = Fixtures.copy(Fixtures.folder("z2_bf16_w2/ckpt"), temp.resolve("in"));

    ConvertRun run = ConvertRun.of("-i", input, "-o", input.resolve("out"), "--dry-run");

    assertEquals(1, run.exitCode());
    assertTrue(run.err().get(0).contains("the output lies inside the input"), run::toString);
  }

  @Test
  void whatWouldBeRemoved() throws IOException {
    Files.createDirectories(temp.resolve("out"));
    for (String name : List.of("model.safetensors.index.json", "adapter_config.json", "a.txt")) {
      Files.writeString(temp.resolve("out").resolve(name), name);
    }
    Map<String, String> before = Fixtures.digests(temp);

    ConvertRun run = run("--dry-run", "--overwrite");

    assertEquals(0, run.exitCode(), run::toString);
    assertTrue(
        run.out()
            .contains(
                "note   --overwrite removes what loaders would take in place of the result, or put"
                    + " on top of it: adapter_config.json, model.safetensors.index.json"),
        run::toString);
    assertEquals(before, Fixtures.digests(temp));
  }
}
