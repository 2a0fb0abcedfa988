package dev.reweave.common;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.testing.JsonInSmallHeap;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** JSON that is small as a file and large as values. */
class JsonReaderTest {
  @TempDir Path temp;

  @Test
  void valuesThatTheMemoryCannotTakeAreRefused() throws Exception {
    Path out = temp.resolve("out");
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx256m",
                "-cp",
                System.getProperty("java.class.path"),
                JsonInSmallHeap.class.getName(),
                temp.resolve("x.safetensors").toString())
            .redirectOutput(out.toFile())
            .redirectError(temp.resolve("err").toFile())
            .start();
    int exitCode = process.waitFor();

    List<String> lines = Files.readAllLines(out);
    assertEquals(0, exitCode, () -> lines.toString());
    assertEquals(13, lines.size(), lines::toString);
    for (String line : lines) {
      assertTrue(
          line.endsWith(": shortage: the JSON holds more values than the memory can take"),
          lines::toString);
    }
  }
}
