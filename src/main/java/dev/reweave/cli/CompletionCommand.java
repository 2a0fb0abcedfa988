package dev.reweave.cli;

import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.AutoComplete;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

/** {@code reweave completion}: what a shell needs to complete a command line. */
@Command(
    name = "completion",
    description = "Prints what lets bash and zsh complete commands, options and values.",
    footerHeading = "%nExamples:%n",
    footer = {
      "  reweave completion > ~/.local/share/bash-completion/completions/reweave",
      "  source <(reweave completion)"
    },
    mixinStandardHelpOptions = true)
final class CompletionCommand implements Callable<Integer> {
  /** With these the launcher runs the program; to it they are never given. */
  private static final String[] OF_THE_LAUNCHER = {"--master", "--conf", "--properties-file"};

  /** What keeps a shell from its own completion, of files, where picocli knows no values. */
  private static final String NO_FILES = "  type compopt &>/dev/null && compopt +o default";

  @CommandLine.Spec private CommandSpec spec;

  @Override
  public Integer call() {
    spec.commandLine().getOut().print(script(spec.root()));
    spec.commandLine().getOut().flush();
    return CommandLine.ExitCode.OK;
  }

  /**
   * A script that a shell sources.
   *
   * @param root all commands; it is given the options of the launcher
   */
  static String script(CommandSpec root) {
    for (String name : OF_THE_LAUNCHER) {
      root.addOption(
          OptionSpec.builder(name)
              .type(String.class)
              .scopeType(CommandLine.ScopeType.INHERIT)
              .build());
    }
    return AutoComplete.bash(root.name(), root.commandLine())
        .lines()
        .filter(line -> !line.startsWith(NO_FILES))
        .collect(Collectors.joining("\n", "", "\n"));
  }
}
