package dev.reweave.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

/**
 * The words of a command line that say nothing of its user: names of commands and options, and
 * values that are numbers, sizes or among those that the help offers. All else is {@value #OTHER}.
 * The line may be wrong usage.
 */
final class CommandWords {
  static final String OTHER = "…";

  private static final Pattern NUMBER =
      Pattern.compile("\\d{1,18}(?:\\.\\d{1,9})?(?:[eE]-?\\d{1,3})?(?i:[kmgtp]?i?b?|%)");

  private CommandWords() {}

  static List<String> of(CommandSpec root, String... arguments) {
    CommandSpec command = root;
    Optional<OptionSpec> open = Optional.empty();
    List<String> words = new ArrayList<>();
    for (String word : arguments) {
      int equals = word.startsWith("-") ? word.indexOf('=') : -1;
      OptionSpec option = option(command, equals < 0 ? word : word.substring(0, equals));
      CommandLine sub = command.subcommands().get(word);
      if (option != null) {
        words.add(
            equals < 0
                ? word
                : word.substring(0, equals + 1) + value(option, word.substring(equals + 1)));
        open = Optional.of(option).filter(o -> equals < 0 && o.arity().max() > 0);
      } else if (sub != null) {
        command = sub.getCommandSpec();
        words.add(word);
      } else {
        words.add(open.map(o -> value(o, word)).orElse(OTHER));
        open = Optional.empty();
      }
    }
    return words;
  }

  private static OptionSpec option(CommandSpec command, String name) {
    OptionSpec option = command.optionsMap().get(name);
    return option == null ? command.negatedOptionsMap().get(name) : option;
  }

  private static String value(OptionSpec option, String value) {
    Set<String> offered = Set.of(option.paramLabel().split("\\|", -1));
    boolean plain =
        NUMBER.matcher(value).matches() || offered.contains(value.toLowerCase(Locale.ROOT));
    return plain ? value : OTHER;
  }
}
