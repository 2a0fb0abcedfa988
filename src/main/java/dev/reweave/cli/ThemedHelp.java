package dev.reweave.cli;

import dev.reweave.common.Option;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine;
import picocli.CommandLine.Help;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.UsageMessageSpec;

/** Help that has commands and options under headings, in the order in which they are declared. */
final class ThemedHelp {
  /** Commands of one kind; those that no group names go into the last one. */
  private record Group(String title, List<String> commands) {}

  private static final List<Group> GROUPS =
      List.of(
          new Group("Make a model", List.of("convert", "clean", "demo")),
          new Group(
              "Look at what there is", List.of("inspect", "doctor", "verify", "diff", "report")),
          new Group("More", List.of()));

  private ThemedHelp() {}

  /** Gives such help to a command and to those below it. */
  static void install(CommandLine command) {
    UsageMessageSpec usage = command.getCommandSpec().usageMessage();
    usage.abbreviateSynopsis(true).parameterListHeading("%n").commandListHeading("");
    Map<String, CommandLine.IHelpSectionRenderer> sections = command.getHelpSectionMap();
    sections.put(UsageMessageSpec.SECTION_KEY_OPTION_LIST, ThemedHelp::options);
    sections.put(UsageMessageSpec.SECTION_KEY_COMMAND_LIST, ThemedHelp::commands);
    List<String> order = new ArrayList<>(command.getHelpSectionKeys());
    order.remove(UsageMessageSpec.SECTION_KEY_COMMAND_LIST);
    order.add(
        order.indexOf(UsageMessageSpec.SECTION_KEY_OPTION_LIST),
        UsageMessageSpec.SECTION_KEY_COMMAND_LIST);
    command.setHelpSectionKeys(order);
    command.getSubcommands().values().forEach(ThemedHelp::install);
  }

  /** The options of a command that people are told of. */
  static Map<Option.Theme, List<OptionSpec>> byTheme(CommandSpec command) {
    Map<Option.Theme, List<OptionSpec>> themes = new EnumMap<>(Option.Theme.class);
    for (OptionSpec option : command.options()) {
      if (!option.hidden()) {
        themes
            .computeIfAbsent(DeclaredOptions.theme(option), theme -> new ArrayList<>())
            .add(option);
      }
    }
    return themes;
  }

  private static String options(Help help) {
    StringBuilder text = new StringBuilder();
    byTheme(help.commandSpec())
        .forEach(
            (theme, options) ->
                text.append(heading(help, theme.title()))
                    .append(
                        help.optionListExcludingGroups(
                            options,
                            help.createDefaultLayout(),
                            null,
                            help.parameterLabelRenderer())));
    return text.toString();
  }

  private static String commands(Help help) {
    Map<String, Help> left = new LinkedHashMap<>(help.subcommands());
    StringBuilder text = new StringBuilder();
    for (Group group : GROUPS) {
      Map<String, Help> members = new LinkedHashMap<>();
      List<String> names =
          group.commands().isEmpty() ? List.copyOf(left.keySet()) : group.commands();
      for (String name : names) {
        if (left.containsKey(name)) {
          members.put(name, left.remove(name));
        }
      }
      if (!members.isEmpty()) {
        text.append(heading(help, group.title())).append(help.commandList(members));
      }
    }
    return text.toString();
  }

  private static String heading(Help help, String title) {
    return help.createHeading("%n@|bold " + title + "|@%n");
  }
}
