package dev.reweave.cli;

import dev.reweave.common.Location;
import dev.reweave.convert.AskedConversion;
import dev.reweave.storage.Stores;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

/** What the lines of a list ask for: each is read as the command line that it stands for. */
final class ListedRequests {
  /** Options of the whole command, which no line can have. */
  private static final Set<String> NOT_OF_A_LINE =
      Set.of(
          "--list",
          "--json",
          "--again",
          "--dry-run",
          "--sample",
          "--shared-filesystem",
          "--max-bandwidth",
          "--catalog",
          "--report-bug",
          "--verbose",
          "--help",
          "--version");

  private final CommandSpec spec;

  /**
   * Requests of lists.
   *
   * @param spec of the command that was given, whose options count where a line has none
   */
  ListedRequests(CommandSpec spec) {
    this.spec = spec;
  }

  /**
   * Reads a whole list, so that nothing is begun if a line is wrong.
   *
   * @throws CommandLine.ParameterException with the number of that line
   * @throws dev.reweave.common.ReweaveException if the list cannot be read
   */
  List<AskedConversion> read(Stores stores, Location address) {
    Map<String, ConversionList.Kind> known = new HashMap<>();
    for (OptionSpec option : spec.options()) {
      if (!NOT_OF_A_LINE.contains(option.longestName())) {
        known.put(
            bare(option), isFlag(option) ? ConversionList.Kind.FLAG : ConversionList.Kind.TEXT);
      }
    }
    List<AskedConversion> requests = new ArrayList<>();
    try {
      for (ConversionList.Line line : new ConversionList(known).read(stores, address)) {
        requests.add(asked(stores, line));
      }
    } catch (ConversionList.BrokenList e) {
      throw new CommandLine.ParameterException(spec.commandLine(), e.getMessage(), e);
    }
    return requests;
  }

  private static String bare(OptionSpec option) {
    return option.longestName().substring(2);
  }

  private static boolean isFlag(OptionSpec option) {
    return option.typeInfo().isBoolean();
  }

  private static String flag(OptionSpec option, boolean on) {
    return (on ? "--" : "--no-") + bare(option);
  }

  /** What the command line says of a flag that it has. */
  private static boolean isOn(OptionSpec option) {
    Object value = option.getValue();
    return Boolean.TRUE.equals(value instanceof Optional<?> o ? o.orElse(null) : value);
  }

  private AskedConversion asked(Stores stores, ConversionList.Line line) {
    ConvertCommand command = new ConvertCommand();
    try {
      new CommandLine(command)
          .setCaseInsensitiveEnumValuesAllowed(true)
          .parseArgs(arguments(line).toArray(String[]::new));
      return command.asked(stores);
    } catch (CommandLine.ParameterException e) {
      throw new CommandLine.ParameterException(
          spec.commandLine(), line.place() + ": " + e.getMessage(), e);
    }
  }

  private List<String> arguments(ConversionList.Line line) {
    List<String> arguments = new ArrayList<>();
    for (OptionSpec option : spec.commandLine().getParseResult().matchedOptions()) {
      String name = option.longestName();
      if (!NOT_OF_A_LINE.contains(name) && !line.members().containsKey(bare(option))) {
        if (isFlag(option)) {
          arguments.add(flag(option, isOn(option)));
        } else {
          option.originalStringValues().forEach(value -> arguments.add(name + "=" + value));
        }
      }
    }
    line.members()
        .forEach(
            (name, value) -> {
              OptionSpec option = spec.findOption("--" + name);
              boolean on = Boolean.parseBoolean(value);
              if (!isFlag(option)) {
                arguments.add("--" + name + "=" + value);
              } else if (on || option.negatable()) {
                arguments.add(flag(option, on));
              }
            });
    return arguments;
  }
}
