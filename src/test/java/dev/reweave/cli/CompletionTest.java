package dev.reweave.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.testing.Launcher;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What bash makes of a tab. */
class CompletionTest {
  /** Words are given to it as readline gives them; what it offers is printed, a line each. */
  private static final String TAB =
      """
      set -u
      source "$1"; shift
      compopt() { echo "compopt $*"; }
      COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMP_LINE="$*" COMP_POINT=${#COMP_LINE}
      COMPREPLY=()
      "$(complete -p reweave | sed 's/.*-F \\([^ ]*\\).*/\\1/')"
      printf '%s\\n' "${COMPREPLY[@]}"
      """;

  @TempDir Path temp;

  private static String script() {
    StringWriter out = new StringWriter();
    assertEquals(
        0,
        Main.run(
            new PrintWriter(out, true), new PrintWriter(new StringWriter(), true), "completion"));
    return out.toString();
  }

  private Set<String> offered(String line) throws IOException, InterruptedException {
    Path script = Files.writeString(temp.resolve("reweave"), script());
    Path tab = Files.writeString(temp.resolve("tab.sh"), TAB);
    List<String> command =
        new java.util.ArrayList<>(List.of("bash", tab.toString(), script.toString()));
    command.addAll(List.of(line.split(" ", -1)));
    Launcher.Result result = Launcher.begin(Map.of(), command).await();
    assertEquals("", result.err());
    Set<String> words = new TreeSet<>(result.out().lines().toList());
    words.remove("");
    return words;
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      ignoreLeadingAndTrailingWhitespace = false,
      value = {
        "reweave conv|convert",
        "reweave d|demo diff doctor",
        "submit/reweave ver|verify",
        "reweave help conv|convert",
        "reweave convert --we|--weights --weights-name",
        "reweave convert --weights m|master model",
        "reweave convert --weights |ema master model",
        "reweave convert -i in --format b|bin",
        "reweave convert --on-nonfinite |fail ignore warn",
        "reweave convert --base-mode c|copy",
        "reweave inspect x --tr|--tree",
        "reweave diff a b --tol|--tolerance",
        "reweave convert --prop|--properties-file",
        "reweave --mas|--master",
      })
  void wordsAreOffered(String line, String words) throws Exception {
    assertEquals(new TreeSet<>(List.of(words.split(" ", -1))), offered(line));
  }

  /** The shell knows files itself, if it is let. */
  @ParameterizedTest
  @CsvSource({"reweave convert -i ch", "reweave inspect ch", "reweave convert -i in -o ou"})
  void filesAreLeftToTheShell(String line) throws Exception {
    assertEquals(Set.of(), offered(line));
    assertTrue(script().contains("complete -F _complete_reweave -o default reweave"));
  }

  @Test
  void noOptionOfTheLauncherIsOneOfTheProgram() {
    StringWriter err = new StringWriter();

    assertEquals(
        2,
        Main.run(
            new PrintWriter(new StringWriter(), true),
            new PrintWriter(err, true),
            "completion",
            "--master",
            "local"));
    assertTrue(err.toString().startsWith("Unknown options: '--master'"), err::toString);
    assertFalse(script().contains("\u001b"));
  }
}
