package dev.reweave.cli;

import dev.reweave.common.Option;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import picocli.CommandLine;
import picocli.CommandLine.Help;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;

/**
 * The page of a command for {@code man(1)}, of what its help says. Picocli has a generator of such
 * pages, of which Asciidoctor makes roff: it would bring JRuby into the build, for what is a
 * hundred lines here.
 */
final class ManPage {
  private final CommandSpec command;
  private final List<String> lines = new ArrayList<>();

  private ManPage(CommandLine command) {
    this.command = command.getCommandSpec();
  }

  /** The name of a command's page, such as {@code reweave-convert}. */
  static String name(CommandLine command) {
    return command.getCommandSpec().qualifiedName("-");
  }

  /**
   * The page, as roff.
   *
   * @param version of the program
   * @param others names of the other pages
   */
  static String of(CommandLine command, String version, List<String> others) {
    return new ManPage(command).page(name(command), version, others);
  }

  private String page(String name, String version, List<String> others) {
    List<String> description = List.of(command.usageMessage().description());
    String title = text(name.toUpperCase(Locale.ROOT));
    lines.add(".TH " + title + " 1 \"\" \"reweave " + text(version) + "\" \"Reweave\"");
    heading("NAME");
    lines.add(text(name) + " \\- " + text(String.join(" ", description)));
    heading("SYNOPSIS");
    lines.add(".nf");
    Help help = new Help(command, Help.defaultColorScheme(Help.Ansi.OFF));
    help.synopsis(0).lines().map(String::strip).map(ManPage::text).forEach(lines::add);
    lines.add(".fi");
    heading("DESCRIPTION");
    description.forEach(line -> lines.add(text(line)));
    command.positionalParameters().forEach(this::parameter);
    subcommands();
    heading("OPTIONS");
    for (Map.Entry<Option.Theme, List<OptionSpec>> theme : ThemedHelp.byTheme(command).entrySet()) {
      lines.add(".SS " + text(theme.getKey().title()));
      theme.getValue().forEach(this::option);
    }
    heading("EXAMPLES");
    lines.add(".nf");
    Stream.of(command.usageMessage().footer()).map(ManPage::text).forEach(lines::add);
    lines.add(".fi");
    heading("SEE ALSO");
    lines.add(
        others.stream()
            .filter(other -> !other.equals(name))
            .map(other -> text(other) + "(1)")
            .collect(Collectors.joining(", ")));
    return String.join("\n", lines) + "\n";
  }

  private void heading(String title) {
    lines.add(".SH " + title);
  }

  private void item(String names, String[] description) {
    lines.add(".TP");
    lines.add(names);
    Stream.of(description).map(ManPage::text).forEach(lines::add);
  }

  private void parameter(PositionalParamSpec parameter) {
    item(label(parameter.paramLabel()), parameter.description());
  }

  private void subcommands() {
    if (!command.subcommands().isEmpty()) {
      heading("COMMANDS");
      command
          .subcommands()
          .forEach(
              (name, sub) -> item(name(name), sub.getCommandSpec().usageMessage().description()));
    }
  }

  private void option(OptionSpec option) {
    String value = option.arity().max() > 0 ? " " + label(option.paramLabel()) : "";
    String names = Stream.of(option.names()).map(ManPage::name).collect(Collectors.joining(", "));
    String opposite =
        option.negatable() ? ", " + name(option.longestName().replaceFirst("^--", "--no-")) : "";
    item(names + value + opposite, option.description());
  }

  private static String name(String name) {
    return "\\fB" + text(name) + "\\fR";
  }

  private static String label(String label) {
    return "\\fI" + text(label) + "\\fR";
  }

  /** A text whose first character is no request, and none of whose others is an escape. */
  private static String text(String text) {
    StringBuilder roff = new StringBuilder(text.startsWith(".") ? "\\&" : "");
    text.replace("%%", "%").replace("%n", "").codePoints().forEach(c -> roff.append(character(c)));
    return roff.toString();
  }

  private static String character(int c) {
    return switch (c) {
      case '\\' -> "\\e";
      case '-' -> "\\-";
      case '\'' -> "\\(aq";
      case '"' -> "\\(dq";
      case '^' -> "\\(ha";
      case '~' -> "\\(ti";
      case '…' -> "...";
      default -> c < 128 ? Character.toString(c) : String.format("\\[u%04X]", c);
    };
  }
}
