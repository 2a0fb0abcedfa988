package dev.reweave.convert;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.manifest.Manifest;
import dev.reweave.plan.PlanOptions;
import dev.reweave.testing.Converting;
import dev.reweave.testing.Fixtures;
import dev.reweave.testing.RetryingSpark;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tasks that are tried again change neither the result nor what is counted. */
class RetryTest {
  @TempDir Path temp;

  private List<String> run(Path output, int failingAttempts) throws Exception {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(ManagementFactory.getRuntimeMXBean().getInputArguments());
    command.addAll(List.of("-cp", System.getProperty("java.class.path")));
    command.add(RetryingSpark.class.getName());
    command.add("faulty:" + Fixtures.folder("z2_bf16_w2/ckpt"));
    command.add("faulty:" + output);
    command.add(String.valueOf(failingAttempts));
    Path out = temp.resolve("out.txt");
    Process process =
        new ProcessBuilder(command)
            .redirectOutput(out.toFile())
            .redirectError(temp.resolve("err.txt").toFile())
            .start();
    int exit = process.waitFor();
    assertEquals(0, exit, () -> text(temp.resolve("err.txt")));
    return Files.readAllLines(out);
  }

  private static String text(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String line(List<String> lines, String name) {
    return lines.stream()
        .filter(line -> line.startsWith(name + ": "))
        .map(line -> line.substring(name.length() + 2))
        .findFirst()
        .orElseThrow(() -> new AssertionError(name + " is not in " + lines));
  }

  @Test
  void failedAttemptsCountNothing() throws Exception {
    Path undisturbed = temp.resolve("undisturbed");
    Manifest.Figures figures =
        Converting.between(Fixtures.folder("z2_bf16_w2/ckpt"), undisturbed)
            .planning(PlanOptions.DEFAULTS.withSizes(400, 64_000))
            .run()
            .manifest()
            .figures();

    List<String> lines = run(temp.resolve("retried"), 2);

    Map<String, String> expected = Fixtures.digests(undisturbed);
    Map<String, String> made = Fixtures.digests(temp.resolve("retried"));
    assertTrue(made.remove(Manifest.FILE_NAME) != null, "no manifest");
    expected.remove(Manifest.FILE_NAME);
    assertEquals(expected, made);
    assertTrue(Integer.parseInt(line(lines, "failures")) >= 6, lines::toString);
    assertEquals(figures.toString(), line(lines, "figures"));
    assertEquals(
        "{bytes read="
            + figures.bytesRead()
            + ", bytes written="
            + figures.bytesWritten()
            + ", elements cast=0, reads="
            + figures.readRequests()
            + ", reads made again=0}",
        line(lines, "accumulators"));
  }

  @Test
  void theLastAttemptIsTold() throws Exception {
    List<String> lines = run(temp.resolve("failed"), 3);

    String message = line(lines, "failed");
    assertTrue(message.contains(", attempt 3 on 127.0.0.1"), message);
    assertTrue(message.contains("injected failure of READ"), message);
    assertTrue(message.contains("while making bytes 0 to "), message);
  }
}
