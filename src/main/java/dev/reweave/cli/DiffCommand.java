package dev.reweave.cli;

import dev.reweave.checkpoint.ReadOptions;
import dev.reweave.common.Location;
import dev.reweave.look.compare.Diff;
import dev.reweave.look.compare.DiffRequest;
import dev.reweave.look.report.DiffCriterion;
import dev.reweave.look.report.DiffReport;
import dev.reweave.plan.PlanOptions;
import dev.reweave.plan.prepare.MappingChoice;
import dev.reweave.spark.Cluster;
import dev.reweave.spark.SparkSessions;
import dev.reweave.storage.ByteSize;
import dev.reweave.storage.Stores;
import java.io.PrintWriter;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/**
 * {@code reweave diff}. Exit codes are those of {@code diff(1)}: 0 nothing differs, 1 something
 * does, 2 trouble.
 */
@Command(
    name = "diff",
    description = "Compares two sets of weights: checkpoints, steps, folders or files.",
    exitCodeOnExecutionException = DiffCommand.TROUBLE,
    footer = {
      "",
      "Exit codes: 0 nothing differs, 1 something does, 2 one side cannot be read, or wrong usage."
    },
    mixinStandardHelpOptions = true)
final class DiffCommand implements Callable<Integer> {
  /** Exit code where something differs. */
  static final int DIFFERENT = 1;

  /** Exit code where the two could not be compared. */
  static final int TROUBLE = 2;

  private static final int MOST_ROWS = 20;

  @Parameters(index = "0", paramLabel = "URI", description = "A set of weights.")
  private String first;

  @Parameters(index = "1", paramLabel = "OTHER", description = "What it is compared with.")
  private String second;

  @Mixin private ReadArguments reading;

  @Option(
      names = "--other-tag",
      paramLabel = "TAG",
      description = "The saved step of OTHER; by default the one that 'latest' names.")
  private Optional<String> otherTag = Optional.empty();

  @Option(
      names = "--other-weights",
      paramLabel = "master|model|KEY",
      description =
          "The copy of the weights in OTHER, or the key of a dict in a torch file; by default"
              + " masters where they exist.")
  private Optional<String> otherWeights = Optional.empty();

  @Option(
      names = "--mapping",
      paramLabel = "auto|none|NAME|URI",
      defaultValue = "none",
      description =
          "Rules that give the tensors of URI the names of OTHER (default: ${DEFAULT-VALUE}).")
  private String mapping;

  @Option(
      names = "--other-mapping",
      paramLabel = "auto|none|NAME|URI",
      defaultValue = "none",
      description = "The same for the tensors of OTHER (default: ${DEFAULT-VALUE}).")
  private String otherMapping;

  @Option(
      names = "--only",
      paramLabel = "REGEX",
      description = "Compare only tensors whose names, as mapped, contain a match.")
  private Optional<String> only = Optional.empty();

  @Option(
      names = "--tolerance",
      paramLabel = "NUMBER",
      description =
          "Numbers that are no further apart are the same, whatever their types; by default every"
              + " bit counts.")
  private Optional<Double> tolerance = Optional.empty();

  @Option(
      names = "--ignore-dtype",
      description = "Tensors of two types are the same if they are after a cast to the narrower.")
  private boolean ignoreDtype;

  @Option(names = "--all", description = "Show all that differs, not just the most different.")
  private boolean all;

  @Option(names = "--json", description = "Print one JSON document, with all tensors.")
  private boolean json;

  @Option(
      names = "--chunk-size",
      paramLabel = "SIZE",
      defaultValue = PlanOptions.CHUNK_SIZE,
      description = "Most bytes that one task reads of both sides (default: ${DEFAULT-VALUE}).")
  private String chunkSize;

  @Mixin private ClusterArguments cluster;
  @CommandLine.Spec private CommandLine.Model.CommandSpec spec;

  @Override
  public Integer call() {
    Stores stores = new Stores(SparkSessions.hadoopConfiguration());
    DiffRequest request = request(stores);
    List<Location> sides = List.of(request.first().address(), request.second().address());
    // A mistyped address is told before Spark starts.
    sides.forEach(side -> require(stores, side));
    SparkSessions.requireReachable(cluster.localFiles(), sides);
    try (SparkSessions.Session session =
        SparkSessions.start("reweave diff " + first + " " + second)) {
      Cluster machines = session.cluster();
      return print(new Diff(machines, machines.stores()).run(request));
    }
  }

  private static void require(Stores stores, Location address) {
    if (stores.file(address).isEmpty() && !stores.isFolder(address)) {
      throw CommandFailures.noSide(address);
    }
  }

  /** What the arguments ask for. */
  DiffRequest request(Stores stores) {
    try {
      PlanOptions defaults = PlanOptions.DEFAULTS;
      PlanOptions planning =
          new PlanOptions(
              defaults.dtype(),
              defaults.maxShardBytes(),
              defaults.weightsName(),
              ByteSize.parse(chunkSize),
              defaults.format(),
              defaults.sharding(),
              only);
      return new DiffRequest(
          new DiffRequest.Side(
              stores.locate(first), reading.toOptions(), MappingChoice.of(mapping)),
          new DiffRequest.Side(stores.locate(second), other(), MappingChoice.of(otherMapping)),
          planning,
          new DiffCriterion(
              tolerance, ignoreDtype ? DiffCriterion.Types.IGNORED : DiffCriterion.Types.COUNT));
    } catch (IllegalArgumentException e) {
      throw new CommandLine.ParameterException(spec.commandLine(), e.getMessage(), e);
    }
  }

  private ReadOptions other() {
    ReadOptions options =
        new ReadOptions(otherTag, Optional.empty(), ReadOptions.Frozen.INCLUDE)
            .withNames(reading.names())
            .withSafeguards(reading.safeguards());
    return otherWeights.map(options::withWeightsNamed).orElse(options);
  }

  /** Prints what was found; gives the exit code. */
  int print(DiffReport report) {
    PrintWriter out = spec.commandLine().getOut();
    if (json) {
      out.println(report.toJson());
    } else {
      report.lines(all ? Integer.MAX_VALUE : MOST_ROWS).forEach(out::println);
    }
    return report.isEqual() ? CommandLine.ExitCode.OK : DIFFERENT;
  }
}
