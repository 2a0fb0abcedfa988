package dev.reweave.cli;

import dev.reweave.common.Location;
import dev.reweave.convert.Cleanup;
import dev.reweave.spark.SparkSessions;
import dev.reweave.storage.Stores;
import java.io.PrintWriter;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code reweave clean}. */
@Command(
    name = "clean",
    description = "Removes what a killed conversion left in its output folder.",
    footerHeading = "%nExample:%n",
    footer = "  reweave clean out/my-llama",
    mixinStandardHelpOptions = true)
final class CleanCommand implements Callable<Integer> {
  @Parameters(paramLabel = "URI", description = "The output folder of the conversion.")
  private String folder;

  @CommandLine.Spec private CommandLine.Model.CommandSpec spec;

  @Override
  public Integer call() {
    Stores stores = new Stores(SparkSessions.hadoopConfiguration());
    Location output = stores.locate(folder);
    List<String> removed = new Cleanup(stores).run(output);
    PrintWriter out = spec.commandLine().getOut();
    removed.forEach(name -> out.println("removed " + name + ", of a publication without end"));
    out.println("clean  " + output);
    return CommandLine.ExitCode.OK;
  }
}
