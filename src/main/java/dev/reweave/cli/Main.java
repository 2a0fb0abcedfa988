package dev.reweave.cli;

import dev.reweave.Redacted;
import dev.reweave.ReweaveException;
import dev.reweave.job.spark.SparkSessions;
import dev.reweave.report.Versions;
import java.io.OutputStreamWriter;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ScopeType;

/**
 * The command line. Exit codes: 0 done, 1 it failed, 2 wrong usage; those of {@code diff} are its
 * own.
 */
@Command(
    name = "reweave",
    description = "Weaves DeepSpeed checkpoints back into sharded safetensors.",
    subcommands = {
      ConvertCommand.class,
      InspectCommand.class,
      DoctorCommand.class,
      VerifyCommand.class,
      DiffCommand.class,
      CleanCommand.class,
      DemoCommand.class,
      CommandLine.HelpCommand.class
    },
    mixinStandardHelpOptions = true,
    versionProvider = Main.Version.class)
public final class Main implements Runnable {
  @Option(
      names = {"-v", "--verbose"},
      scope = ScopeType.INHERIT,
      description = "Show logs, and stack traces of errors.")
  private boolean verbose;

  @CommandLine.Spec private CommandLine.Model.CommandSpec spec;

  /** Runs a command and ends the process, or leaves that to the cluster that it runs on. */
  public static void main(String[] args) {
    int code = run(writer(System.out), writer(System.err), args);
    if (!SparkSessions.isDriverOnCluster()) {
      System.exit(code);
    }
    if (code != CommandLine.ExitCode.OK) {
      throw new IllegalStateException("it ended with " + code + ": see what it said above");
    }
  }

  /** Names of tensors may hold any character, whatever the locale of a job is. */
  private static PrintWriter writer(PrintStream stream) {
    return new PrintWriter(new OutputStreamWriter(stream, StandardCharsets.UTF_8), true);
  }

  /** Runs a command; gives the exit code. */
  static int run(PrintWriter out, PrintWriter err, String... args) {
    return run(out, err, CommandLine.defaultFactory(), args);
  }

  /** Runs a command that a factory makes; gives the exit code. */
  static int run(PrintWriter out, PrintWriter err, CommandLine.IFactory factory, String... args) {
    Main main = new Main();
    return new CommandLine(main, factory)
        .setOut(out)
        .setErr(err)
        .setCaseInsensitiveEnumValuesAllowed(true)
        .setExecutionExceptionHandler((e, command, parsed) -> main.explain(e, command, err))
        .execute(args);
  }

  @Override
  public void run() {
    throw new CommandLine.ParameterException(spec.commandLine(), "a command is needed");
  }

  private int explain(Exception e, CommandLine command, PrintWriter err) {
    if (e instanceof ReweaveException) {
      err.println("reweave: " + e.getMessage());
    } else {
      err.println("reweave: internal error: " + e + "; run it with -v and report what that prints");
    }
    if (verbose) {
      StringWriter trace = new StringWriter();
      e.printStackTrace(new PrintWriter(trace));
      err.print(Redacted.text(trace.toString()));
      err.flush();
    }
    return command.getCommandSpec().exitCodeOnExecutionException();
  }

  static final class Version implements CommandLine.IVersionProvider {
    @Override
    public String[] getVersion() {
      return new String[] {"reweave " + Versions.reweave()};
    }
  }
}
