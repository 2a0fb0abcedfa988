package dev.reweave.cli;

import dev.reweave.cli.progress.ProgressForm;
import dev.reweave.cli.progress.ProgressView;
import dev.reweave.common.Printable;
import dev.reweave.common.Progress;
import dev.reweave.common.Redacted;
import dev.reweave.common.ReweaveException;
import dev.reweave.common.ReweaveException.Kind;
import dev.reweave.convert.LeftBehind;
import dev.reweave.convert.Preparation;
import dev.reweave.look.bug.BugReport;
import dev.reweave.manifest.Failure;
import dev.reweave.manifest.Versions;
import dev.reweave.spark.SparkSessions;
import dev.reweave.storage.ProcessEnd;
import dev.reweave.storage.Stores;
import java.io.OutputStream;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.stream.Stream;
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
    footerHeading = "%nExample:%n",
    footer = "  reweave convert --input checkpoints/run-17 --output model --dtype bfloat16",
    mixinStandardHelpOptions = true,
    versionProvider = Main.Version.class)
public final class Main implements Runnable {
  private static final Map<String, Class<?>> COMMANDS = commands();

  /** How long a store may take for the last request. */
  private static final int MOST_SECONDS_TO_STOP = 10;

  /** Commands that tell of all others. */
  private static final Set<String> OF_ALL = Set.of("help", "completion");

  @Option(
      names = {"-v", "--verbose"},
      scope = ScopeType.INHERIT,
      description = "Show logs, and stack traces of errors.")
  private boolean verbose;

  @Option(
      names = BugReportFile.OPTION,
      paramLabel = "FILE",
      scope = ScopeType.INHERIT,
      description =
          "Write what a defect can be found by to a new file on this machine, whatever comes of the"
              + " command: figures, kinds and lines of code, without addresses and names.")
  private Optional<String> reportBug = Optional.empty();

  @Option(
      names = "--progress",
      paramLabel = "auto|lines|json|none",
      scope = ScopeType.INHERIT,
      description =
          "How to tell on the error stream how far the work has come: a block on a terminal and a"
              + " line every 10 s elsewhere, such lines everywhere, or a line of JSON every second.")
  private Optional<ProgressForm> form = Optional.empty();

  @Option(
      names = {"-q", "--quiet"},
      scope = ScopeType.INHERIT,
      description = "The same as --progress none.")
  private boolean quiet;

  private final Progress progress = new Progress();
  private final ProgressView view = new ProgressView(progress);
  private ProgressForm usual = ProgressForm.NONE;
  private final BugReport bugs = new BugReport();
  private Optional<Failure> failed = Optional.empty();
  private boolean refused;

  @CommandLine.Spec private CommandLine.Model.CommandSpec spec;

  /** By name, in the order in which help tells of them. */
  private static Map<String, Class<?>> commands() {
    Map<String, Class<?>> commands = new LinkedHashMap<>();
    commands.put("convert", ConvertCommand.class);
    commands.put("inspect", InspectCommand.class);
    commands.put("doctor", DoctorCommand.class);
    commands.put("verify", VerifyCommand.class);
    commands.put("diff", DiffCommand.class);
    commands.put("report", ReportCommand.class);
    commands.put("clean", CleanCommand.class);
    commands.put("demo", DemoCommand.class);
    commands.put("completion", CompletionCommand.class);
    commands.put("help", CommandLine.HelpCommand.class);
    return commands;
  }

  /**
   * The command line.
   *
   * @param args if the first one is the name of a command, it knows that one alone: the options of
   *     all take longer to read than a small checkpoint
   */
  public static CommandLine commandLine(Main main, CommandLine.IFactory factory, String... args) {
    CommandLine command = new CommandLine(main, factory);
    Set<String> known =
        args.length > 0 && COMMANDS.containsKey(args[0]) && !OF_ALL.contains(args[0])
            ? Set.of(args[0])
            : COMMANDS.keySet();
    for (String name : known) {
      command.addSubcommand(new CommandLine(COMMANDS.get(name), factory));
    }
    ThemedHelp.install(command);
    return command;
  }

  /** Runs a command and ends the process, or leaves that to the cluster that it runs on. */
  public static void main(String[] args) {
    // Picocli looks for Groovy in all jars of Spark otherwise.
    System.setProperty("picocli.disable.closures", "true");
    if (isWork(args)) {
      SparkSessions.readAhead();
    }
    Main main = new Main();
    main.usual = ProgressForm.AUTO;
    PrintWriter out = main.view.beside(System.out);
    PrintWriter err = main.view.beside(System.err);
    System.setErr(main.view.streamBeside(System.err));
    CountDownLatch ended = new CountDownLatch(1);
    if (isWork(args)) {
      ProcessEnd.before(() -> main.stop(err, ended, args), MOST_SECONDS_TO_STOP);
    }
    int code = main.execute(out, err, CommandLine.defaultFactory(), args);
    ended.countDown();
    if (!SparkSessions.isDriverOnCluster()) {
      System.exit(code);
    }
    if (code != CommandLine.ExitCode.OK) {
      // All that a cluster tells the one who submitted: what was printed is in a log far away.
      throw new IllegalStateException(
          main.failed.map(Failure::text).orElse("it ended with " + code));
    }
  }

  /** Whether more than help is wanted: its commands touch stores. */
  private static boolean isWork(String... args) {
    return args.length > 1 && !args[0].startsWith("-") && !List.of(args).contains("--help");
  }

  /**
   * Ends what is under way, since somebody stops the process; what a conversion has finished is
   * kept.
   *
   * @param ended when the command has come to its end
   */
  private void stop(PrintWriter err, CountDownLatch ended, String... args) {
    if (ended.getCount() == 0) {
      return;
    }
    view.close();
    err.println("reweave: " + Stopped.text(args));
    if (!verbose) {
      // Threads of Spark tell there that they were ended in the middle of something.
      System.setErr(
          new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8));
    }
    SparkSessions.stopWork();
    try {
      // It gives up its lock.
      var unused = ended.await(MOST_SECONDS_TO_STOP, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Runs a command; gives the exit code. */
  static int run(PrintWriter out, PrintWriter err, String... args) {
    return run(out, err, CommandLine.defaultFactory(), args);
  }

  /** Runs a command that a factory makes; gives the exit code. */
  static int run(PrintWriter out, PrintWriter err, CommandLine.IFactory factory, String... args) {
    return new Main().execute(out, err, factory, args);
  }

  private int execute(
      PrintWriter out, PrintWriter err, CommandLine.IFactory factory, String... args) {
    long start = System.nanoTime();
    CommandLine command =
        commandLine(this, factory, args)
            .setOut(out)
            .setErr(err)
            .setCaseInsensitiveEnumValuesAllowed(true);
    command
        .setParameterExceptionHandler(
            (e, given) -> {
              failed(usage(e), e);
              return explainUsage(e);
            })
        .setExecutionExceptionHandler((e, failed, parsed) -> explain(e, failed))
        .setExecutionStrategy(
            parsed -> {
              if (reportBug.isPresent() && !BugReportFile.isNew(reportBug.get())) {
                refused = true;
                throw new CommandLine.ParameterException(
                    spec.commandLine(),
                    BugReportFile.OPTION + ": " + reportBug.get() + " is there already");
              }
              requireNoLogin(args);
              view.start(quiet ? ProgressForm.NONE : form.orElse(usual), err);
              return new CommandLine.RunLast().execute(parsed);
            });
    int code;
    try {
      code = command.execute(args);
    } catch (Error e) { // Picocli lets them through.
      code = explain(e, last(command));
    } finally {
      view.close();
    }
    Optional<String> file = reportBug.or(() -> BugReportFile.in(args));
    if (file.isPresent() && !refused) {
      double seconds = (System.nanoTime() - start) / 1e9;
      boolean written = BugReportFile.write(file.get(), bugs, command, code, seconds, args);
      if (!written && code == CommandLine.ExitCode.OK) {
        return last(command).getCommandSpec().exitCodeOnExecutionException();
      }
    }
    return code;
  }

  /** Refuses addresses with keys before anything is begun, or said, of them. */
  private void requireNoLogin(String... args) {
    for (String arg : args) {
      String value = arg.startsWith("-") ? arg.substring(arg.indexOf('=') + 1) : arg;
      try {
        Stores.requireNoLogin(value);
      } catch (ReweaveException e) {
        throw new CommandLine.ParameterException(spec.commandLine(), e.getMessage(), e);
      }
    }
  }

  /** The command that was at work: the innermost that was named. */
  private static CommandLine last(CommandLine command) {
    CommandLine last = command;
    while (last.getParseResult() != null && last.getParseResult().hasSubcommand()) {
      last = last.getParseResult().subcommand().commandSpec().commandLine();
    }
    return last;
  }

  /** Where the work of a command tells how far it has come. */
  static Progress progress(CommandLine.Model.CommandSpec command) {
    return command.root().userObject() instanceof Main main ? main.progress : new Progress();
  }

  /** Takes the plans of a command's conversions for a bug report. */
  static Consumer<Preparation.Prepared> plans(CommandLine.Model.CommandSpec command) {
    return command.root().userObject() instanceof Main main
        ? made -> main.bugs.plan(made.checkpoint(), made.plan())
        : made -> {};
  }

  @Override
  public void run() {
    throw new CommandLine.ParameterException(spec.commandLine(), "a command is needed");
  }

  /**
   * What is wrong and where help is: all of the help would push the error out of sight. The words
   * show no passwords and drive no terminal.
   */
  private static int explainUsage(CommandLine.ParameterException e) {
    CommandLine command = e.getCommandLine();
    String message = String.valueOf(e.getMessage());
    if (e instanceof CommandLine.UnmatchedArgumentException unknown) {
      List<String> near = unknown.getSuggestions();
      message += near.isEmpty() ? "" : "; did you mean " + String.join(" or ", near) + "?";
    }
    PrintWriter err = command.getErr();
    err.println(Printable.text(Redacted.text(message)));
    String name = command.getCommandSpec().qualifiedName();
    err.println("Try '" + name + " --help'.");
    return command.getCommandSpec().exitCodeOnInvalidInput();
  }

  private void failed(Failure failure, Throwable cause) {
    bugs.failure(failure, cause);
    failed = Optional.of(failure);
  }

  private static Failure usage(CommandLine.ParameterException e) {
    return new Failure(
        Kind.USAGE,
        Redacted.text(String.valueOf(e.getMessage())),
        "'" + e.getCommandLine().getCommandSpec().qualifiedName() + "'",
        "see --help");
  }

  private int explain(Throwable e, CommandLine command) {
    Failure failure = Failure.of(e, command.getCommandSpec().qualifiedName());
    failed(failure, e);
    if (ProcessEnd.isNear()) {
      // It failed of that, which was told.
      return command.getCommandSpec().exitCodeOnExecutionException();
    }
    PrintWriter err = command.getErr();
    err.println("reweave: " + failure.text());
    Stream.of(e.getSuppressed())
        .filter(LeftBehind.class::isInstance)
        .map(left -> Printable.text(Redacted.text(String.valueOf(left.getMessage()))))
        .forEach(left -> err.println("reweave: besides: " + left));
    if (verbose) {
      StringWriter trace = new StringWriter();
      e.printStackTrace(new PrintWriter(trace));
      err.println(Printable.lines(Redacted.text(trace.toString())));
    }
    return command.getCommandSpec().exitCodeOnExecutionException();
  }

  static final class Version implements CommandLine.IVersionProvider {
    @Override
    public String[] getVersion() {
      String commit = Versions.commit().map(c -> "commit " + c).orElse("unknown commit");
      return new String[] {"reweave " + Versions.reweave() + ", " + commit};
    }
  }
}
