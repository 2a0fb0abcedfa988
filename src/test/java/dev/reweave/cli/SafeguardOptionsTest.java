package dev.reweave.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.testing.Fixtures;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the command line lets files of unknown origin do. */
class SafeguardOptionsTest {
  @TempDir Path temp;

  private Path output() {
    return temp.resolve("out");
  }

  private static Path checkpoint() {
    return Fixtures.folder("z3_bf16_w2").resolve("ckpt");
  }

  @Test
  void tasksReadNoMoreStructureThanIsAllowed() {
    ConvertRun run =
        ConvertRun.of("-i", checkpoint(), "-o", output(), "--max-metadata-bytes", "100B");

    assertEquals(1, run.exitCode());
    assertTrue(
        run.err()
            .get(0)
            .matches(
                "reweave: the zip directory has \\d{3,5} bytes, and --max-metadata-bytes allows 100:"
                    + " file:.*_states\\.pt; allow more with --max-metadata-bytes if you trust the"
                    + " file"),
        run::toString);
    assertFalse(Files.exists(output()));
  }

  @Test
  void theLimitChangesNothingOfTheResult() throws IOException {
    ConvertRun free = ConvertRun.of("-i", checkpoint(), "-o", output());
    ConvertRun bounded =
        ConvertRun.of("-i", checkpoint(), "-o", temp.resolve("b"), "--max-metadata-bytes", "1MB");

    assertEquals(List.of(0, 0), List.of(free.exitCode(), bounded.exitCode()), bounded::toString);
    assertEquals(-1, Files.mismatch(model(output()), model(temp.resolve("b"))));
  }

  private static Path model(Path folder) {
    return folder.resolve("model.safetensors");
  }

  @Test
  void headersAreStructure() throws IOException {
    Path file = temp.resolve("model.safetensors");
    Files.copy(Fixtures.folder("z3_bf16_w2").resolve("expected.safetensors"), file);

    ConvertRun run = ConvertRun.of("-i", file, "-o", output(), "--max-metadata-bytes", "50B");

    assertEquals(1, run.exitCode());
    assertTrue(
        run.err().get(0).startsWith("reweave: the header has ")
            && run.err()
                .get(0)
                .endsWith(
                    " bytes, and --max-metadata-bytes allows 50: file:"
                        + file
                        + "; allow more with --max-metadata-bytes if you trust the file"),
        run::toString);
    assertFalse(Files.exists(output()));
  }

  @Test
  void theBasesHeadersAreStructure() throws IOException {
    Path base = Fixtures.copy(Fixtures.folder("base_pipeline"), temp.resolve("base"));
    pad(base.resolve("transformer/diffusion_pytorch_model.safetensors"), 200_000);
    Path input = Fixtures.folder("cog_z2_bf16_w2").resolve("ckpt");

    ConvertRun run =
        ConvertRun.of("-i", input, "-o", output(), "--base", base, "--max-metadata-bytes", "100KB");

    assertEquals(1, run.exitCode());
    assertTrue(
        run.err()
            .get(0)
            .matches(
                "reweave: the header has \\d+ bytes, and --max-metadata-bytes allows 100000: file:"
                    + base
                    + "/transformer/.*; allow more with --max-metadata-bytes if you trust the"
                    + " file"),
        run::toString);
    assertFalse(Files.exists(output()));
  }

  @Test
  void linksOutOfTheBaseAreFollowedWhenAskedAlone() throws IOException {
    Path base = Fixtures.copy(Fixtures.folder("base_pipeline"), temp.resolve("base"));
    Path secret = Files.writeString(temp.toRealPath().resolve("secret"), "s");
    Files.createSymbolicLink(base.resolve("README.md"), secret);
    Path input = Fixtures.folder("cog_z2_bf16_w2").resolve("ckpt");

    ConvertRun run = ConvertRun.of("-i", input, "-o", output(), "--base", base);

    assertEquals(1, run.exitCode());
    assertTrue(
        run.err()
            .get(0)
            .startsWith(
                "reweave: a symbolic link leads out of the folder that is read, to "
                    + secret
                    + ": "),
        run::toString);
    assertFalse(Files.exists(output()));
    ConvertRun asked = ConvertRun.of("-i", input, "-o", output(), "--base", base, "--follow-links");
    assertEquals(0, asked.exitCode(), asked::toString);
    assertEquals("s", Files.readString(output().resolve("README.md")));
  }

  /** Lets the header of a file end in blanks, as it may. */
  private static void pad(Path file, int blanks) throws IOException {
    ByteBuffer old = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
    int header = (int) old.getLong(0);
    ByteBuffer all = ByteBuffer.allocate(old.capacity() + blanks).order(ByteOrder.LITTLE_ENDIAN);
    all.putLong(header + blanks).put(old.array(), Long.BYTES, header);
    all.put(" ".repeat(blanks).getBytes(StandardCharsets.US_ASCII));
    all.put(old.array(), Long.BYTES + header, old.capacity() - Long.BYTES - header);
    Files.write(file, all.array());
  }

  /** The cause of an error is told with {@code -v}, in the words of whoever found it. */
  @Test
  void tracesDriveNoTerminal() throws IOException {
    Path rules = temp.resolve("rules.json");
    Files.writeString(rules, "{\"\\u001b[2J\": 1, \"\\u001b[2J\": 2}");

    ConvertRun run =
        ConvertRun.of("-i", checkpoint(), "-o", output(), "--mapping", rules, "--verbose");

    String all = String.join("\n", run.err());
    assertEquals(1, run.exitCode());
    assertTrue(all.contains("Caused by: com.fasterxml.jackson."), all);
    assertTrue(all.contains("Duplicate field '\\u001b[2J'"), all);
    assertFalse(all.contains("\u001b"), all);
  }
}
