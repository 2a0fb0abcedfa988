package dev.reweave.cli;

import dev.reweave.look.report.Inspection;
import dev.reweave.look.report.Inspector;
import dev.reweave.plan.prepare.MappingChoice;
import dev.reweave.spark.SparkSessions;
import dev.reweave.storage.Stores;
import java.io.PrintWriter;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code reweave inspect}: needs no Spark, since it reads metadata alone. */
@Command(
    name = "inspect",
    description = "Tells what a checkpoint or a safetensors folder holds, without its weights.",
    mixinStandardHelpOptions = true)
final class InspectCommand implements Callable<Integer> {
  @Parameters(paramLabel = "URI", description = "A checkpoint, or a folder of safetensors files.")
  private String address;

  @Option(names = "--json", description = "Print one JSON document.")
  private boolean json;

  @Option(
      names = "--mapping",
      paramLabel = "auto|none|NAME|URI",
      description = "Show what these rules make of the checkpoint's names.")
  private Optional<String> mapping = Optional.empty();

  @Mixin private ReadArguments reading;
  @CommandLine.Spec private CommandLine.Model.CommandSpec spec;

  @Override
  public Integer call() {
    Stores stores = new Stores(SparkSessions.hadoopConfiguration());
    Inspection inspection =
        new Inspector(stores)
            .inspect(stores.locate(address), reading.toOptions(), mapping.map(MappingChoice::of));
    PrintWriter out = spec.commandLine().getOut();
    if (json) {
      out.println(inspection.toJson());
    } else {
      inspection.lines().forEach(out::println);
    }
    return CommandLine.ExitCode.OK;
  }
}
