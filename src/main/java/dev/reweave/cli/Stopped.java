package dev.reweave.cli;

import dev.reweave.common.Printable;
import dev.reweave.common.Redacted;
import java.util.List;
import java.util.Optional;

/** What is said to who stops a command. */
final class Stopped {
  private static final List<String> OUTPUT = List.of("-o", "--output");

  private Stopped() {}

  /**
   * The words.
   *
   * @param args of the command
   */
  static String text(String... args) {
    List<String> given = List.of(args);
    if (given.isEmpty() || !given.get(0).equals("convert")) {
      return "stopped";
    }
    String goesOn =
        given.contains("--no-resume")
            ? "the same command begins anew"
            : "the same command goes on with what is done";
    return "stopped before the result was whole; "
        + goesOn
        + ", 'reweave clean "
        + output(given).map(o -> Printable.text(Redacted.text(o))).orElse("OUTPUT")
        + "' removes it";
  }

  private static Optional<String> output(List<String> given) {
    for (int i = 0; i < given.size(); i++) {
      String arg = given.get(i);
      if (OUTPUT.contains(arg) && i + 1 < given.size()) {
        return Optional.of(given.get(i + 1));
      }
      if (arg.startsWith("--output=")) {
        return Optional.of(arg.substring("--output=".length()));
      }
    }
    return Optional.empty();
  }
}
