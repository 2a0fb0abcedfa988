package dev.reweave;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.tensor.TensorSpec;
import dev.reweave.testing.SyntheticCheckpoint;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What is on the screen of a real terminal while a conversion runs: that of tmux. */
@Timeout(300)
class TerminalIT {
  private static final int SHARDS = 6;
  private static final long SHARD_BYTES = 4_000_000;
  private static final Pattern DONE = Pattern.compile("convert .*?(\\d+) %.*");

  @TempDir static Path temp;
  private static Path input;

  @BeforeAll
  static void makeCheckpoint() throws IOException {
    List<TensorSpec> parameters = SyntheticCheckpoint.layers(SHARDS, SHARD_BYTES);
    input = temp.resolve("in");
    SyntheticCheckpoint.write(input, 3, 2, parameters, 11);
  }

  private static String command(Path output) {
    return Path.of("submit/reweave").toAbsolutePath()
        + " convert -i "
        + input
        + " -o "
        + output
        + " --max-shard-size 4MB --chunk-size 1MB --max-bandwidth 1MB";
  }

  private static List<String> tmux(String... arguments) throws Exception {
    List<String> command = new ArrayList<>(List.of("tmux", "-L", "reweave-test"));
    command.addAll(List.of(arguments));
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.environment().put("LC_ALL", "C.UTF-8");
    Process process = builder.start();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals(0, process.waitFor(), said);
    return said.lines().toList();
  }

  @AfterEach
  void end() throws Exception {
    new ProcessBuilder("tmux", "-L", "reweave-test", "kill-server").start().waitFor();
  }

  /** Lines of the screen that have something on them, once they are as expected. */
  private static List<String> screen(Predicate<List<String>> moment) throws Exception {
    List<String> lines = List.of();
    do {
      lines = tmux("capture-pane", "-p").stream().filter(line -> !line.isBlank()).toList();
    } while (!moment.test(lines));
    return lines;
  }

  private static int percent(List<String> lines) {
    return lines.stream()
        .map(DONE::matcher)
        .filter(Matcher::matches)
        .mapToInt(m -> Integer.parseInt(m.group(1)))
        .findFirst()
        .orElse(-1);
  }

  @ParameterizedTest
  @CsvSource({"60, false", "200, true"})
  void theBlockChangesInItsPlaceAndGoes(int columns, boolean hasBar) throws Exception {
    Path output = temp.resolve("wide" + columns);
    tmux("new-session", "-d", "-x", String.valueOf(columns), "-y", "24", "bash --norc");
    tmux("send-keys", "PS1='ready '; clear", "Enter");
    tmux("send-keys", command(output) + "; echo ended$((1+1))", "Enter");

    List<String> first = screen(lines -> percent(lines) > 0);
    List<String> second = screen(lines -> percent(lines) > percent(first) + 20);
    List<String> end = screen(lines -> lines.contains("ended2"));

    for (List<String> moment : List.of(first, second)) {
      List<String> block = moment.subList(moment.size() - 2, moment.size());
      assertTrue(DONE.matcher(block.get(0)).matches(), moment::toString);
      assertTrue(!hasBar || block.get(0).contains("━"), moment::toString);
      assertTrue(
          block.get(1).matches(".*\\d of 6 shards, \\d+ tasks? running.*"), moment::toString);
      assertTrue(block.stream().allMatch(line -> line.length() < columns), moment::toString);
      assertEquals(
          1, moment.stream().filter(line -> DONE.matcher(line).matches()).count(), "one block");
    }
    assertTrue(end.stream().anyMatch(line -> line.startsWith("wrote  6 tensors")), end::toString);
    assertFalse(end.stream().anyMatch(line -> line.contains("━")), "the block is gone: " + end);
  }

  @Test
  void whoStopsItIsToldHowItGoesOn() throws Exception {
    Path output = temp.resolve("stopped");
    tmux("new-session", "-d", "-x", "200", "-y", "24", "bash --norc");
    tmux("send-keys", command(output) + "; echo code $?", "Enter");
    screen(lines -> percent(lines) > 20);

    tmux("send-keys", "C-c", "");
    List<String> end = screen(lines -> lines.stream().anyMatch(l -> l.startsWith("code ")));

    assertTrue(
        end.contains(
            "reweave: stopped before the result was whole; the same command goes on with what is"
                + " done, 'reweave clean "
                + output
                + "' removes it"),
        end::toString);
    assertTrue(end.contains("code 130"), end::toString);
    assertFalse(end.stream().anyMatch(line -> line.contains("━")), "the block is gone: " + end);
  }

  @Test
  void aPipeGetsLinesAndNoSignsForTerminals() throws Exception {
    Path output = temp.resolve("piped");
    Path said = temp.resolve("said.txt");
    tmux("new-session", "-d", "-x", "80", "-y", "24", "bash --norc");
    tmux(
        "send-keys",
        command(output).replace("--chunk-size 1MB ", "").replace("1MB", "500KB")
            + " 2>&1 | cat > "
            + said
            + "; echo ended$((1+1))",
        "Enter");
    screen(lines -> lines.contains("ended2"));

    String text = Files.readString(said);
    List<String> told = text.lines().filter(line -> line.startsWith("convert: ")).toList();
    assertFalse(told.isEmpty(), text);
    assertTrue(
        told.get(0)
            .matches("convert: \\d+ %, .* of 24 MB, .*\\d of 6 shards, \\d+ tasks? running.*"),
        told::toString);
    assertFalse(text.contains("\u001b"), text);
    assertFalse(text.contains("━"), text);
    assertTrue(text.contains("wrote  6 tensors"), text);
  }
}
