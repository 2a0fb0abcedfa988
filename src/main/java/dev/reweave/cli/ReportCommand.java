package dev.reweave.cli;

import dev.reweave.checkpoint.ReadOptions;
import dev.reweave.common.Location;
import dev.reweave.common.Option;
import dev.reweave.common.Options;
import dev.reweave.convert.ConversionOptions;
import dev.reweave.convert.ConversionRequest.ExistingOutput;
import dev.reweave.look.compare.DiffRequest;
import dev.reweave.look.page.ModelReport;
import dev.reweave.look.page.ReportPage;
import dev.reweave.plan.FileNames;
import dev.reweave.spark.LocalFiles;
import dev.reweave.spark.SparkSessions;
import dev.reweave.storage.Stores;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** {@code reweave report}. */
@Command(
    name = "report",
    description = "Writes a page of what weights hold, alone or against others.",
    footerHeading = "%nExample:%n",
    footer = "  reweave report out/my-llama --against models/Llama-3.1-8B",
    mixinStandardHelpOptions = true)
final class ReportCommand implements Callable<Integer> {
  private static final Option<Optional<String>> AGAINST =
      Option.text("against", "OTHER")
          .help("Weights that each tensor is compared with, as diff compares them.");

  private static final Option<String> OUTPUT =
      Option.of("output", "FILE", FileNames.REPORT, text -> text)
          .letter("o")
          .help("The file on this machine (default: ${DEFAULT-VALUE}).");

  private static final List<Option<?>> OPTIONS =
      Stream.concat(
              Stream.of(
                  AGAINST,
                  OUTPUT,
                  ConversionOptions.OVERWRITE.help("Replace the file if it is there."),
                  DiffCommand.OTHER_TAG,
                  DiffCommand.OTHER_WEIGHTS,
                  DiffCommand.MAPPING,
                  DiffCommand.OTHER_MAPPING,
                  LocalFiles.SHARED_FILESYSTEM),
              ReadOptions.OPTIONS.stream())
          .toList();

  @Parameters(paramLabel = "URI", description = "A converted folder, a model or a checkpoint.")
  private String address;

  @Mixin final CommandLine.Model.CommandSpec declared = DeclaredOptions.of(OPTIONS);
  @CommandLine.Spec private CommandLine.Model.CommandSpec spec;

  private final SparkUse spark;

  ReportCommand() {
    this.spark = (name, work) -> SparkUse.ofItsOwn(name, Main.progress(spec), work);
  }

  ReportCommand(SparkUse spark) {
    this.spark = spark;
  }

  @Override
  public Integer call() {
    Options given = DeclaredOptions.given(spec, OPTIONS);
    Path file = Path.of(given.of(OUTPUT));
    if (Files.exists(file) && given.of(ConversionOptions.OVERWRITE) == ExistingOutput.REFUSE) {
      throw CommandFailures.reportIsThere(file);
    }
    Stores stores = new Stores(SparkSessions.hadoopConfiguration());
    List<Location> sides = new ArrayList<>(List.of(stores.locate(address)));
    given.of(AGAINST).ifPresent(other -> sides.add(stores.locate(other)));
    for (Location side : sides) {
      // A mistyped address is told before Spark starts.
      if (stores.file(side).isEmpty() && !stores.isFolder(side)) {
        throw CommandFailures.noSide(side);
      }
    }
    SparkSessions.requireReachable(given.of(LocalFiles.SHARED_FILESYSTEM), sides);
    DiffRequest.Side subject =
        new DiffRequest.Side(sides.get(0), new ReadOptions(given), given.of(DiffCommand.MAPPING));
    Optional<DiffRequest.Side> against =
        sides.stream().skip(1).map(side -> DiffCommand.other(side, given)).findFirst();
    spark.run(
        "reweave report " + address,
        machines ->
            write(file, new ModelReport(machines, machines.stores()).run(subject, against)));
    spec.commandLine().getOut().println("report " + file);
    return CommandLine.ExitCode.OK;
  }

  private static void write(Path file, byte[] json) {
    try (OutputStream out = Files.newOutputStream(file)) {
      ReportPage.write(out, json);
    } catch (IOException e) {
      throw CommandFailures.reportNotWritten(file, e);
    }
  }
}
