package dev.reweave.testing;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.opentest4j.AssertionFailedError;

class RecordedDigestsTest {
  @TempDir Path temp;
  private Path output;
  private Path list;

  @BeforeEach
  void writeAModel() throws IOException {
    output = Files.createDirectory(temp.resolve("out"));
    list = temp.resolve("digests.txt");
    Files.writeString(output.resolve("model.safetensors"), "weights");
    Files.writeString(output.resolve("config.json"), "{}");
    Files.writeString(output.resolve("reweave.json"), "another each time");
  }

  private void record(String conversion) throws IOException {
    new RecordedDigests(list, true).assertSame(conversion, output);
  }

  private void compare(String conversion) throws IOException {
    new RecordedDigests(list, false).assertSame(conversion, output);
  }

  private String problem(String conversion) {
    return assertThrows(AssertionFailedError.class, () -> compare(conversion)).getMessage();
  }

  @Test
  void recordedFilesAreTheSame() throws IOException {
    record("b");
    record("a");
    record("b");

    compare("a");
    compare("b");
    List<String> lines = Files.readAllLines(list);
    assertEquals(lines.stream().sorted().toList(), lines);
    assertEquals(
        List.of("a\tconfig.json", "a\tmodel.safetensors", "b\tconfig.json", "b\tmodel.safetensors"),
        lines.stream().map(line -> line.replaceAll("\t[0-9a-f]{64}$", "")).toList());
  }

  @Test
  void eachDifferenceIsNamed() throws IOException {
    record("z3 --dtype float32");
    Files.writeString(output.resolve("model.safetensors"), "Weights");
    Files.delete(output.resolve("config.json"));
    Files.writeString(output.resolve("more.json"), "{}");

    String problem = problem("z3 --dtype float32");

    assertTrue(problem.contains("'z3 --dtype float32'"), problem);
    assertTrue(problem.contains("<config.json, model.safetensors, more.json>"), problem);
    assertTrue(problem.contains("-Ddigests=record"), problem);
  }

  @Test
  void aConversionThatWasNotRecordedFails() throws IOException {
    record("z3");

    assertTrue(problem("z").contains("which knows none of them"));
  }
}
