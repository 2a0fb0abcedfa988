package dev.reweave.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.common.Option;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import picocli.CommandLine;

/** Help by theme, with an example that works. */
class HelpTest {
  private static List<String> help(String... args) {
    StringWriter out = new StringWriter();
    assertEquals(
        0, Main.run(new PrintWriter(out, true), new PrintWriter(new StringWriter(), true), args));
    return out.toString().lines().toList();
  }

  /** Lines that begin at the margin and are no sentence: headings. */
  private static List<String> headings(List<String> help) {
    return help.stream().skip(1).filter(line -> line.matches("[A-Z][a-z ]+:?")).toList();
  }

  /** Names of options under a heading. */
  private static List<String> under(String heading, List<String> help) {
    return help.stream()
        .skip(help.indexOf(heading) + 1L)
        .takeWhile(line -> !line.isEmpty())
        .filter(line -> line.matches(" +(-\\w, )?--[a-z].*"))
        .map(line -> line.replaceFirst(" +(-\\w, )?--([a-z0-9-]+).*", "$2"))
        .toList();
  }

  static Stream<CommandLine> commands() {
    CommandLine all = Main.commandLine(new Main(), CommandLine.defaultFactory());
    return Stream.concat(
        Stream.of(all),
        all.getSubcommands().values().stream()
            .filter(command -> !(command.getCommand() instanceof CommandLine.HelpCommand)));
  }

  @Test
  void commandsStandUnderHeadings() {
    List<String> help = help("--help");

    assertEquals(
        List.of("Make a model", "Look at what there is", "More", "General", "Example:"),
        headings(help));
    assertTrue(help.indexOf("Make a model") < indexOf(help, "  convert "), help::toString);
    assertTrue(indexOf(help, "  inspect ") > help.indexOf("Look at what there is"), help::toString);
    assertTrue(indexOf(help, "  help ") > help.indexOf("More"), help::toString);
  }

  private static int indexOf(List<String> help, String beginning) {
    int index = 0;
    while (!help.get(index).startsWith(beginning)) {
      index++;
    }
    return index;
  }

  @Test
  void optionsStandUnderTheirThemes() {
    List<String> help = help("convert", "--help");

    assertEquals(
        Stream.of(Option.Theme.values()).map(Option.Theme::title).toList(),
        headings(help).stream().filter(heading -> !heading.equals("Example:")).toList());
    assertEquals(
        List.of(
            "output",
            "dtype",
            "format",
            "shards",
            "max-shard-size",
            "weights-name",
            "only",
            "overwrite"),
        under("Result", help));
    assertEquals(List.of("catalog", "runs", "catalog-table", "runs-table"), under("Tables", help));
    assertTrue(under("General", help).containsAll(List.of("verbose", "report-bug", "help")));
  }

  /** Whoever adds an option sees where it goes. */
  @Test
  void eachOptionOfAConversionHasATheme() {
    assertEquals(
        List.of(),
        ConvertOptions.ALL.stream()
            .filter(option -> option.texts().theme() == Option.Theme.GENERAL)
            .map(Option::name)
            .toList());
  }

  @ParameterizedTest
  @MethodSource("commands")
  void examplesCanBeTyped(CommandLine command) {
    List<String> examples = examples(command);

    assertFalse(examples.isEmpty(), command.getCommandName());
    for (String example : examples) {
      assertTrue(example.length() <= 80, "breaks into two lines: " + example);
      String[] words = example.strip().replaceFirst(" > .*", "").split(" +", -1);
      String[] args = Arrays.copyOfRange(words, 1, words.length);
      CommandLine all = Main.commandLine(new Main(), CommandLine.defaultFactory());
      CommandLine.ParseResult parsed = all.parseArgs(args);
      if (command.getParent() != null) {
        assertEquals(command.getCommandName(), args[0]);
      }
      assertTrue(parsed.hasSubcommand(), example);
      assertTrue(command.getUsageMessage().lines().toList().contains(example), example);
    }
  }

  private static List<String> examples(CommandLine command) {
    return Stream.of(command.getCommandSpec().usageMessage().footer())
        .filter(line -> line.startsWith("  reweave "))
        .toList();
  }

  /** What a program reads has no escapes in it. */
  @Test
  void noColoursInAPipe() {
    assertFalse(String.join("", help("convert", "--help")).contains("\u001b"));
  }
}
