package dev.reweave.cli;

import dev.reweave.look.bug.Placeholders;
import dev.reweave.plan.prepare.MappingChoice;
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
 * The words of a command line without what they say of its user. They may be wrong usage: what is
 * not known is not shown.
 */
final class CommandWords {
  /** Their values are kinds, sizes and numbers. */
  private static final Set<String> PLAIN =
      Set.of(
          "--dtype",
          "--shards",
          "--format",
          "--base-mode",
          "--weights",
          "--other-weights",
          "--max-shard-size",
          "--chunk-size",
          "--max-bandwidth",
          "--max-metadata-bytes",
          "--on-nonfinite",
          "--sample",
          "--tolerance");

  private static final Pattern NUMBER =
      Pattern.compile("\\d{1,18}(?:\\.\\d{1,9})?(?:[eE]-?\\d{1,3})?(?i:[kmgtp]?i?b?|%)");

  private static final Set<String> OF_MAPPINGS = Set.of("--mapping", "--other-mapping");

  private final Placeholders names;
  private final List<String> words = new ArrayList<>();
  private CommandSpec command;
  private Optional<OptionSpec> open = Optional.empty();
  private boolean options = true;

  private CommandWords(CommandSpec root, Placeholders names) {
    this.command = root;
    this.names = names;
  }

  /** The words, with placeholders that are known from now on. */
  static List<String> of(CommandSpec root, Placeholders names, String... arguments) {
    CommandWords words = new CommandWords(root, names);
    for (String argument : arguments) {
      words.add(argument);
    }
    return words.words;
  }

  private void add(String word) {
    if (open.isPresent()) {
      words.add(value(open.get(), word));
      open = Optional.empty();
    } else if (options && word.equals("--")) {
      options = false;
      words.add(word);
    } else if (options && word.startsWith("-") && word.length() > 1) {
      addOption(word);
    } else {
      CommandLine sub = command.subcommands().get(word);
      if (options && sub != null) {
        command = sub.getCommandSpec();
        words.add(word);
      } else {
        words.add(names.address(word));
      }
    }
  }

  private void addOption(String word) {
    int equals = word.indexOf('=');
    String name = equals < 0 ? word : word.substring(0, equals);
    OptionSpec option = command.optionsMap().get(name);
    if (option == null) {
      option = command.negatedOptionsMap().get(name);
    }
    if (option == null
        && word.length() > 2
        && command.optionsMap().containsKey(word.substring(0, 2))) {
      option = command.optionsMap().get(word.substring(0, 2));
      words.add(word.substring(0, 2) + value(option, word.substring(2)));
    } else if (option == null) {
      words.add(names.name(word));
    } else if (equals >= 0) {
      words.add(name + "=" + value(option, word.substring(equals + 1)));
    } else {
      words.add(name);
      open = Optional.of(option).filter(o -> o.arity().max() > 0 && !o.typeInfo().isBoolean());
    }
  }

  private String value(OptionSpec option, String value) {
    String name = option.longestName();
    boolean plain =
        (PLAIN.contains(name) && (NUMBER.matcher(value).matches() || isOffered(option, value)))
            || (OF_MAPPINGS.contains(name) && MappingChoice.isShipped(value));
    return plain ? value : names.address(value);
  }

  /** Whether a value is one of those that the help lists; what else is there may be a name. */
  private static boolean isOffered(OptionSpec option, String value) {
    return Set.of(option.paramLabel().split("\\|", -1)).contains(value.toLowerCase(Locale.ROOT));
  }
}
