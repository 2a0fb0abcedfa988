package dev.reweave.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.reweave.testing.Launcher;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import picocli.CommandLine;
import picocli.CommandLine.Model.OptionSpec;

/** Pages of the manual that {@code man} shows. */
class ManPageTest {
  @TempDir Path temp;

  static Stream<CommandLine> commands() {
    return ShellFiles.commands().stream();
  }

  private static boolean hasMan() {
    return Stream.of(System.getenv("PATH").split(":", -1))
        .anyMatch(folder -> Files.isExecutable(Path.of(folder, "man")));
  }

  /** The page as a terminal shows it; what the formatter complains of fails the test. */
  private String shown(CommandLine command) throws Exception {
    ShellFiles.write(temp, "1.2.3");
    Path page = temp.resolve("man/man1").resolve(ManPage.name(command) + ".1");
    Launcher.Result result =
        Launcher.begin(
                Map.of("MANWIDTH", "100", "LC_ALL", "C.UTF-8", "MANROFFOPT", "", "MANPAGER", "cat"),
                List.of("man", "--warnings", "-l", page.toString()))
            .await();
    assertEquals(0, result.exitCode(), result::toString);
    assertEquals("", result.err());
    return result.out();
  }

  @ParameterizedTest
  @MethodSource("commands")
  void eachNamesAllOptionsOfItsCommand(CommandLine command) throws Exception {
    assumeTrue(hasMan(), "man is not installed");

    String page = shown(command);

    for (OptionSpec option : command.getCommandSpec().options()) {
      for (String name : option.names()) {
        assertTrue(page.matches("(?s).*\\Q" + name + "\\E[\\s,].*"), name + " in " + page);
      }
    }
    assertTrue(page.contains("reweave 1.2.3"), page);
    assertFalse(page.matches("(?s).*(%[n%]|\\\\[&(]).*"), page);
    for (String line : command.getCommandSpec().usageMessage().footer()) {
      assertTrue(page.contains(line), line + " in " + page);
    }
  }

  @Test
  void textsAreAsInTheHelp() throws Exception {
    assumeTrue(hasMan(), "man is not installed");

    String page =
        shown(commands().filter(c -> c.getCommandName().equals("convert")).findFirst().get())
            .replaceAll("\\s+", " ");

    assertTrue(page.contains("Try evenly spread chunks, such as 1%: read, check"), page);
    assertTrue(page.contains("such as {\"input\": \"URI\", \"output\": \"URI\"}."), page);
    assertTrue(page.contains("Kind of the weight files (default: safetensors)."), page);
    assertTrue(page.contains("one that 'latest' names"), page);
    assertTrue(page.contains("--verify, --no-verify"), page);
    assertTrue(page.contains("--average-tags TAG,TAG...|last:N"), page);
    assertTrue(page.contains("reweave convert --list URI [OPTIONS]"), page);
    assertTrue(page.contains("reweave-verify(1)"), page);
  }
}
