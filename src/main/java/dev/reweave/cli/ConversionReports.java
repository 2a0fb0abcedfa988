package dev.reweave.cli;

import dev.reweave.look.report.ConversionTable;
import dev.reweave.look.report.NextStep;
import dev.reweave.look.report.Summary;
import dev.reweave.manifest.ConversionEnd;
import dev.reweave.storage.Stores;
import java.io.PrintWriter;
import java.util.concurrent.ExecutionException;
import picocli.CommandLine;

/**
 * Tells of conversions as they end: in words, or with one line of JSON for each and the words on
 * the error stream.
 */
final class ConversionReports {
  /** What standard output is for. */
  enum Form {
    WORDS,
    JSON
  }

  private final CommandLine command;
  private final Form form;
  private final PrintWriter words;
  private final ConversionTable table = new ConversionTable();

  ConversionReports(CommandLine command, Form form) {
    this.command = command;
    this.form = form;
    this.words = form == Form.JSON ? command.getErr() : command.getOut();
  }

  void add(ConversionEnd end) {
    table.add(end);
    end.failure().ifPresentOrElse(this::explain, () -> tell(end));
    if (form == Form.JSON) {
      command.getOut().println(end.toJson());
      command.getOut().flush();
    }
  }

  private void tell(ConversionEnd end) {
    if (end.status() == ConversionEnd.Status.UP_TO_DATE) {
      words.println(Summary.upToDate(end.output()));
    } else {
      end.manifest()
          .ifPresent(
              manifest ->
                  Summary.result(manifest, end.warnings(), end.output()).forEach(words::println));
    }
  }

  /** Tells people what to do with a result. */
  void tellNext(Stores stores, ConversionEnd end) {
    if (form == Form.WORDS) {
      end.manifest()
          .ifPresent(
              manifest ->
                  NextStep.of(stores, manifest, stores.locate(end.output()))
                      .forEach(words::println));
    }
  }

  /** As a failure is told that ends a command. */
  private void explain(Throwable failure) {
    try {
      command
          .getExecutionExceptionHandler()
          .handleExecutionException(
              failure instanceof Exception e ? e : new ExecutionException(failure),
              command,
              command.getParseResult());
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }

  /** Tells something beside. */
  void tell(String line) {
    words.println(line);
  }

  /** Tells what became of all of several conversions. */
  void tellAll() {
    table.lines().forEach(words::println);
  }

  int exitCode() {
    return table.count(ConversionEnd.Status.FAILED) == 0
        ? CommandLine.ExitCode.OK
        : CommandLine.ExitCode.SOFTWARE;
  }
}
