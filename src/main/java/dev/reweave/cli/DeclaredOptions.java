package dev.reweave.cli;

import dev.reweave.common.Option;
import dev.reweave.common.Options;
import java.util.List;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

/** Options that are declared where they act, as picocli knows them. */
final class DeclaredOptions {
  private DeclaredOptions() {}

  /** What gives a command these options, as a mixin of it. */
  static CommandSpec of(List<Option<?>> options) {
    CommandSpec all = CommandSpec.create();
    options.forEach(option -> all.addOption(spec(option)));
    return all;
  }

  private static OptionSpec spec(Option<?> option) {
    String letter = option.texts().letter();
    OptionSpec.Builder spec =
        letter.isEmpty()
            ? OptionSpec.builder(option.name())
            : OptionSpec.builder("-" + letter, option.name());
    spec.description(option.texts().help()).userObject(option);
    Option.Values<?> values = option.values();
    if (option.isFlag()) {
      return spec.type(Boolean.class).negatable(option.isToggle()).build();
    }
    if (!values.written().isEmpty()) {
      spec.defaultValue(values.written());
    }
    if (!option.words().isEmpty()) {
      spec.completionCandidates(option.words());
    }
    return spec.type(String.class).paramLabel(values.label()).build();
  }

  /** Where help tells of an option, of whichever command it is. */
  static Option.Theme theme(OptionSpec spec) {
    return spec.userObject() instanceof Option<?> option
        ? option.texts().theme()
        : Option.Theme.GENERAL;
  }

  /**
   * What was given to a command of these options.
   *
   * @throws CommandLine.ParameterException if it makes no sense
   */
  static Options given(CommandSpec command, List<Option<?>> options) {
    Options given = Options.NONE;
    for (Option<?> option : options) {
      OptionSpec spec = command.findOption(option.name());
      if (command.commandLine().getParseResult().hasMatchedOption(spec)) {
        try {
          given = with(given, option, spec.getValue().toString());
        } catch (IllegalArgumentException e) {
          throw new CommandLine.ParameterException(command.commandLine(), e.getMessage(), e);
        }
      }
    }
    return given;
  }

  /**
   * The same with the value of a text.
   *
   * @throws IllegalArgumentException if it is none, with the name of the option
   */
  static Options with(Options given, Option<?> option, String text) {
    try {
      return given.parse(option, text);
    } catch (IllegalArgumentException e) {
      String message = e.getMessage();
      throw new IllegalArgumentException(
          message.contains(option.name())
              ? message
              : "Invalid value for option '" + option.name() + "': " + message,
          e);
    }
  }
}
