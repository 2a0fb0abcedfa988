package dev.reweave.cli;

import dev.reweave.checkpoint.ThreadScanner;
import dev.reweave.job.Conversion;
import dev.reweave.job.ConversionRequest;
import dev.reweave.job.ConversionRequest.Earlier;
import dev.reweave.job.ConversionRequest.ExistingOutput;
import dev.reweave.job.Preparation;
import dev.reweave.job.SparkSessions;
import dev.reweave.plan.ConversionPlan;
import dev.reweave.report.PlanText;
import dev.reweave.report.Summary;
import dev.reweave.storage.PartRule;
import dev.reweave.storage.Stores;
import java.io.PrintWriter;
import java.util.concurrent.Callable;
import org.apache.spark.api.java.JavaSparkContext;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code reweave convert}. */
@Command(
    name = "convert",
    description = "Converts a checkpoint to sharded safetensors with an index.",
    mixinStandardHelpOptions = true)
final class ConvertCommand implements Callable<Integer> {
  @Option(
      names = {"-i", "--input"},
      paramLabel = "URI",
      required = true,
      description = "The folder with 'latest', a tag folder in it, or one torch file.")
  private String input;

  @Option(
      names = {"-o", "--output"},
      paramLabel = "URI",
      required = true,
      description = "The folder for the result: new or empty.")
  private String output;

  @Option(names = "--overwrite", description = "Replace the model in the output folder.")
  private boolean overwrite;

  @Option(
      names = "--no-resume",
      description = "Start anew, whatever an earlier run of this conversion has done.")
  private boolean noResume;

  @Option(names = "--dry-run", description = "Print the plan and write nothing.")
  private boolean dryRun;

  @Mixin private ReadArguments reading;
  @Mixin private PlanArguments planning;
  @Mixin private ModelArguments model;
  @CommandLine.Spec private CommandLine.Model.CommandSpec spec;

  @Override
  public Integer call() {
    PrintWriter out = spec.commandLine().getOut();
    if (dryRun) {
      printPlan(request(), out);
    } else {
      convert(request(), out);
    }
    return CommandLine.ExitCode.OK;
  }

  /** What the arguments ask for. */
  ConversionRequest request() {
    return new ConversionRequest(
        input,
        output,
        reading.toOptions(),
        planning.toOptions(model.defaultType()),
        model.mapping(),
        model.base(),
        overwrite ? ExistingOutput.REPLACE : ExistingOutput.REFUSE,
        noResume ? Earlier.IGNORE : Earlier.CONTINUE);
  }

  private static void printPlan(ConversionRequest request, PrintWriter out) {
    Stores stores = new Stores(SparkSessions.hadoopConfiguration());
    Preparation.Prepared prepared =
        new Preparation(stores, new ThreadScanner(stores)).prepare(request);
    ConversionPlan plan = prepared.plan();
    Summary.source(prepared.checkpoint().source(), prepared.notes()).forEach(out::println);
    PartRule rule = stores.outputFolder(request.output()).partRule();
    PlanText.lines(plan, plan.chunks(rule), Conversion.taskBytes(rule, plan)).forEach(out::println);
  }

  /** Converts and tells what was done. */
  static void convert(ConversionRequest request, PrintWriter out) {
    try (JavaSparkContext spark = SparkSessions.start("reweave convert " + request.output())) {
      Stores stores = new Stores(spark.hadoopConfiguration());
      Conversion.Outcome outcome = new Conversion(spark, stores).run(request);
      String address = stores.resolve(request.output());
      if (outcome.kind() == Conversion.Outcome.Kind.UP_TO_DATE) {
        out.println(Summary.upToDate(address));
      } else {
        Summary.result(outcome.manifest(), address).forEach(out::println);
      }
    }
  }
}
