package dev.reweave.cli;

import dev.reweave.look.bug.BugReport;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine;

/** Where {@code --report-bug} puts what it has to tell. */
final class BugReportFile {
  static final String OPTION = "--report-bug";

  private BugReportFile() {}

  /** The option's value; for command lines that cannot be parsed, too. */
  static Optional<String> in(String... arguments) {
    for (int i = 0; i < arguments.length; i++) {
      if (arguments[i].startsWith(OPTION + "=")) {
        return Optional.of(arguments[i].substring(OPTION.length() + 1));
      }
      if (arguments[i].equals(OPTION) && i + 1 < arguments.length) {
        return Optional.of(arguments[i + 1]);
      }
    }
    return Optional.empty();
  }

  /** Whether there is no such file yet. */
  static boolean isNew(String file) {
    try {
      return !Files.exists(Path.of(file));
    } catch (InvalidPathException e) {
      return true; // That is told when it is written.
    }
  }

  /**
   * Writes a new file, and tells so; or why it cannot.
   *
   * @return whether it is there
   */
  static boolean write(
      String file,
      BugReport report,
      CommandLine command,
      int exitCode,
      double seconds,
      String... arguments) {
    PrintWriter err = command.getErr();
    try {
      List<String> words = CommandWords.of(command.getCommandSpec(), arguments);
      String text =
          report.toJson(Surroundings.read(), new BugReport.Command(words, exitCode, seconds));
      Files.writeString(Path.of(file), text, StandardOpenOption.CREATE_NEW);
      err.println(
          "reweave: wrote the bug report to " + file + "; look it through before you send it");
      return true;
    } catch (FileAlreadyExistsException e) {
      err.println("reweave: the bug report is not written: " + file + " is there already");
    } catch (IOException | RuntimeException e) {
      err.println("reweave: the bug report is not written: " + e + "; name another file");
    }
    return false;
  }
}
