package dev.reweave.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.look.report.TensorTree;
import dev.reweave.testing.Fixtures;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import picocli.CommandLine.Help.Ansi;

/** What {@code inspect} prints. */
class InspectCommandTest {
  private static final String LLAMA = Fixtures.folder("z3_bf16_w2_llama/ckpt").toString();

  private record Run(int exitCode, String out, String err) {}

  private static Run run(String... args) {
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();
    int exitCode =
        Main.run(
            new PrintWriter(out, true),
            new PrintWriter(err, true),
            Stream.concat(Stream.of("inspect"), Stream.of(args)).toArray(String[]::new));
    return new Run(exitCode, out.toString(), err.toString());
  }

  @Test
  void theTreeOfACheckpoint() {
    Run plain = run(LLAMA);
    Run tree = run(LLAMA, "--tree");

    assertEquals(0, tree.exitCode(), tree::err);
    List<String> facts = plain.out().lines().takeWhile(line -> !line.isEmpty()).toList();
    assertEquals(facts, tree.out().lines().takeWhile(line -> !line.isEmpty()).toList());
    List<String> lines =
        tree.out().lines().skip(facts.size() + 1L).map(line -> line.replaceAll(" +", " ")).toList();
    assertEquals(
        List.of(
            "module parameters bytes share",
            "all 5232 20.9 KB 100.0%",
            "├─ model 4576 18.3 KB 87.5%",
            "│ ├─ embed_tokens.weight float32 [41, 16] 656 2.6 KB 12.5%",
            "│ ├─ layers.0, 1 2 alike 3904 15.6 KB 74.6%"),
        lines.subList(0, 5));
    assertEquals(1, lines.stream().filter(line -> line.contains("q_proj")).count());
    assertEquals(
        2, run(LLAMA, "--tree", "--all").out().lines().filter(l -> l.contains("q_proj")).count());
    assertFalse(tree.out().contains("\u001b"), "colours in a pipe");
  }

  @Test
  void programsReadTheSameAsEver() {
    assertEquals(run(LLAMA, "--json"), run(LLAMA, "--json", "--tree"));
  }

  @Test
  void whatDoesNotGoTogether() {
    Run mapped = run(LLAMA, "--tree", "--mapping", "auto");
    assertEquals(2, mapped.exitCode());
    assertTrue(mapped.err().startsWith("--tree shows the names that are there"), mapped::err);
    Run all = run(LLAMA, "--all");
    assertEquals(2, all.exitCode());
    assertTrue(all.err().startsWith("--all says something of --tree"), all::err);
  }

  /** A name that looks like picocli's markup is a name. */
  @Test
  void coloursWhereTheTerminalHasThem() {
    TensorTree.Line module =
        new TensorTree.Line(TensorTree.Kind.MODULE, "├─ ", "@|red x|@", "  ", "  12");
    TensorTree.Line tensor =
        new TensorTree.Line(TensorTree.Kind.TENSOR, "└─ ", "w", "  float32 [2]", "  2");

    assertEquals("├─ @|red x|@    12", new TreeText(Ansi.OFF).of(module));
    assertEquals(
        "\u001b[2m├─ \u001b[0m\u001b[1m@|red x|@\u001b[0m    12", new TreeText(Ansi.ON).of(module));
    assertEquals(
        "\u001b[2m└─ \u001b[0mw\u001b[36m  float32 [2]\u001b[0m  2",
        new TreeText(Ansi.ON).of(tensor));
  }
}
