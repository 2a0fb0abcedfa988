package dev.reweave.cli;

import dev.reweave.checkpoint.ReadOptions;
import dev.reweave.common.Option;
import dev.reweave.common.Options;
import dev.reweave.look.report.Inspection;
import dev.reweave.look.report.Inspector;
import dev.reweave.plan.prepare.MappingChoice;
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

/** {@code reweave inspect}: needs no Spark, since it reads metadata alone. */
@Command(
    name = "inspect",
    description = "Tells what a checkpoint or a safetensors folder holds, without its weights.",
    footerHeading = "%nExample:%n",
    footer = "  reweave inspect checkpoints/run-17",
    mixinStandardHelpOptions = true)
final class InspectCommand implements Callable<Integer> {
  private static final Option<Optional<MappingChoice>> MAPPING =
      Option.unwritten(
              "mapping",
              "auto|none|NAME|URI",
              Optional.<MappingChoice>empty(),
              text -> Optional.of(MappingChoice.of(text)))
          .under(Option.Theme.BASE)
          .help("Show what these rules make of the checkpoint's names.");

  private static final List<Option<?>> OPTIONS =
      Stream.concat(
              Stream.of(ConvertOptions.JSON.help("Print one JSON document."), MAPPING),
              ReadOptions.OPTIONS.stream())
          .toList();

  @Parameters(paramLabel = "URI", description = "A checkpoint, or a folder of safetensors files.")
  private String address;

  @Mixin final CommandLine.Model.CommandSpec declared = DeclaredOptions.of(OPTIONS);
  @CommandLine.Spec private CommandLine.Model.CommandSpec spec;

  @Override
  public Integer call() {
    Options given = DeclaredOptions.given(spec, OPTIONS);
    Stores stores = new Stores(SparkSessions.hadoopConfiguration());
    Inspection inspection =
        new Inspector(stores, Main.progress(spec))
            .inspect(stores.locate(address), new ReadOptions(given), given.of(MAPPING));
    PrintWriter out = spec.commandLine().getOut();
    if (given.of(ConvertOptions.JSON)) {
      out.println(inspection.toJson());
    } else {
      inspection.lines().forEach(out::println);
    }
    return CommandLine.ExitCode.OK;
  }
}
