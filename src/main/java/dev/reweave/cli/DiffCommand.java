package dev.reweave.cli;

import dev.reweave.checkpoint.ReadOptions;
import dev.reweave.common.Location;
import dev.reweave.common.Option;
import dev.reweave.common.Options;
import dev.reweave.look.compare.Diff;
import dev.reweave.look.compare.DiffRequest;
import dev.reweave.look.report.DiffCriterion;
import dev.reweave.look.report.DiffReport;
import dev.reweave.plan.PlanOptions;
import dev.reweave.plan.prepare.MappingChoice;
import dev.reweave.spark.Cluster;
import dev.reweave.spark.LocalFiles;
import dev.reweave.spark.SparkSessions;
import dev.reweave.storage.Stores;
import java.io.PrintWriter;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/**
 * {@code reweave diff}. Exit codes are those of {@code diff(1)}: 0 nothing differs, 1 something
 * does, 2 trouble.
 */
@Command(
    name = "diff",
    description = "Compares two sets of weights: checkpoints, steps, folders or files.",
    exitCodeOnExecutionException = DiffCommand.TROUBLE,
    footerHeading = "%nExample:%n",
    footer = {
      "  reweave diff checkpoints/run-17 out/my-llama --ignore-dtype",
      "",
      "Exit codes: 0 nothing differs, 1 something does, 2 one side cannot be read, or wrong usage."
    },
    mixinStandardHelpOptions = true)
final class DiffCommand implements Callable<Integer> {
  static final Option<Optional<String>> OTHER_TAG =
      Option.text("other-tag", "TAG")
          .under(Option.Theme.READING)
          .help("The saved step of OTHER; by default the one that 'latest' names.");

  static final Option<Optional<String>> OTHER_WEIGHTS =
      Option.text("other-weights", "master|model|KEY")
          .under(Option.Theme.READING)
          .help(
              "The copy of the weights in OTHER, or the key of a dict in a torch file; by default"
                  + " masters where they exist.");

  static final Option<MappingChoice> MAPPING =
      Option.of("mapping", "auto|none|NAME|URI", "none", MappingChoice::of)
          .under(Option.Theme.BASE)
          .help(
              "Rules that give the tensors of URI the names of OTHER (default: ${DEFAULT-VALUE}).");

  static final Option<MappingChoice> OTHER_MAPPING =
      Option.of("other-mapping", "auto|none|NAME|URI", "none", MappingChoice::of)
          .under(Option.Theme.BASE)
          .help("The same for the tensors of OTHER (default: ${DEFAULT-VALUE}).");

  private static final Option<Optional<Double>> TOLERANCE =
      Option.unwritten("tolerance", "NUMBER", Optional.<Double>empty(), DiffCommand::number)
          .under(Option.Theme.CHECKS)
          .help(
              "Numbers that are no further apart are the same, whatever their types; by default"
                  + " every bit counts.");

  private static final Option<DiffCriterion.Types> IGNORE_DTYPE =
      Option.flag("ignore-dtype", DiffCriterion.Types.COUNT, DiffCriterion.Types.IGNORED)
          .under(Option.Theme.CHECKS)
          .help("Tensors of two types are the same if they are after a cast to the narrower.");

  private static final Option<Boolean> ALL =
      Option.flag("all", false, true)
          .under(Option.Theme.PRINTED)
          .help("Show all that differs, not just the most different.");

  private static final List<Option<?>> OPTIONS =
      Stream.concat(
              ReadOptions.OPTIONS.stream(),
              Stream.of(
                  OTHER_TAG,
                  OTHER_WEIGHTS,
                  MAPPING,
                  OTHER_MAPPING,
                  PlanOptions.ONLY.help(
                      "Compare only tensors whose names, as mapped, contain a match."),
                  TOLERANCE,
                  IGNORE_DTYPE,
                  ALL,
                  ConvertOptions.JSON.help("Print one JSON document, with all tensors."),
                  PlanOptions.CHUNK_SIZE.help(
                      "Most bytes that one task reads of both sides (default: 64MB)."),
                  LocalFiles.SHARED_FILESYSTEM))
          .toList();

  /** Exit code where something differs. */
  static final int DIFFERENT = 1;

  /** Exit code where the two could not be compared. */
  static final int TROUBLE = 2;

  private static final int MOST_ROWS = 20;

  @Parameters(index = "0", paramLabel = "URI", description = "A set of weights.")
  private String first;

  @Parameters(index = "1", paramLabel = "OTHER", description = "What it is compared with.")
  private String second;

  @Mixin final CommandLine.Model.CommandSpec declared = DeclaredOptions.of(OPTIONS);
  @CommandLine.Spec private CommandLine.Model.CommandSpec spec;

  @Override
  public Integer call() {
    Options given = DeclaredOptions.given(spec, OPTIONS);
    Stores stores = new Stores(SparkSessions.hadoopConfiguration());
    DiffRequest request = request(stores);
    List<Location> sides = List.of(request.first().address(), request.second().address());
    // A mistyped address is told before Spark starts.
    sides.forEach(side -> require(stores, side));
    SparkSessions.requireReachable(given.of(LocalFiles.SHARED_FILESYSTEM), sides);
    try (SparkSessions.Session session =
        SparkSessions.start("reweave diff " + first + " " + second, Main.progress(spec))) {
      Cluster machines = session.cluster();
      return print(new Diff(machines, machines.stores()).run(request));
    }
  }

  private static Optional<Double> number(String text) {
    try {
      return Optional.of(Double.valueOf(text));
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException("'" + text + "' is not a double", e);
    }
  }

  private static void require(Stores stores, Location address) {
    if (stores.file(address).isEmpty() && !stores.isFolder(address)) {
      throw CommandFailures.noSide(address);
    }
  }

  /** What the arguments ask for. */
  DiffRequest request(Stores stores) {
    Options given = DeclaredOptions.given(spec, OPTIONS);
    ReadOptions reading = new ReadOptions(given);
    try {
      return new DiffRequest(
          new DiffRequest.Side(stores.locate(first), reading, given.of(MAPPING)),
          other(stores.locate(second), given),
          new PlanOptions(given),
          new DiffCriterion(given.of(TOLERANCE), given.of(IGNORE_DTYPE)));
    } catch (IllegalArgumentException e) {
      throw new CommandLine.ParameterException(spec.commandLine(), e.getMessage(), e);
    }
  }

  /** The second side, of which there are fewer options. */
  static DiffRequest.Side other(Location address, Options given) {
    ReadOptions reading =
        new ReadOptions(given)
            .with(ReadOptions.AVERAGE_TAGS, Optional.empty())
            .with(ReadOptions.TAG, given.of(OTHER_TAG))
            .with(ReadOptions.WEIGHTS, given.of(OTHER_WEIGHTS))
            .with(ReadOptions.EXCLUDE_FROZEN, ReadOptions.Frozen.INCLUDE)
            .ofAllParts();
    return new DiffRequest.Side(address, reading, given.of(OTHER_MAPPING));
  }

  /** Prints what was found; gives the exit code. */
  int print(DiffReport report) {
    PrintWriter out = spec.commandLine().getOut();
    Options given = DeclaredOptions.given(spec, OPTIONS);
    if (given.of(ConvertOptions.JSON)) {
      out.println(report.toJson());
    } else {
      report.lines(given.of(ALL) ? Integer.MAX_VALUE : MOST_ROWS).forEach(out::println);
    }
    return report.isEqual() ? CommandLine.ExitCode.OK : DIFFERENT;
  }
}
