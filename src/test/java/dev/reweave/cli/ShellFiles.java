package dev.reweave.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine;

/** What a release brings for shells: pages for {@code man}, and what completes command lines. */
public final class ShellFiles {
  private ShellFiles() {}

  /**
   * Writes them to where shells look below the {@code share} of a program.
   *
   * @param args the folder, and the version of the program
   */
  public static void main(String[] args) throws IOException {
    write(Path.of(args[0]), args[1]);
  }

  /** Writes them to a folder. */
  public static void write(Path share, String version) throws IOException {
    List<CommandLine> commands = commands();
    List<String> names = commands.stream().map(ManPage::name).toList();
    for (CommandLine command : commands) {
      Path page = share.resolve("man/man1").resolve(ManPage.name(command) + ".1");
      Files.createDirectories(page.getParent());
      Files.writeString(page, ManPage.of(command, version, names));
    }
    Path script = share.resolve("bash-completion/completions/reweave");
    Files.createDirectories(script.getParent());
    Files.writeString(script, CompletionCommand.script(commands.get(0).getCommandSpec()));
  }

  /** The program, then each of its commands but the one that shows help. */
  static List<CommandLine> commands() {
    CommandLine all = Main.commandLine(new Main(), CommandLine.defaultFactory());
    List<CommandLine> commands = new ArrayList<>(List.of(all));
    all.getSubcommands()
        .forEach(
            (name, command) -> {
              if (!name.equals("help")) {
                commands.add(command);
              }
            });
    return commands;
  }
}
