package dev.reweave.cli;

import dev.reweave.checkpoint.ThreadScanner;
import dev.reweave.job.Conversion;
import dev.reweave.job.ConversionRequest;
import dev.reweave.job.ConversionRequest.Earlier;
import dev.reweave.job.ConversionRequest.ExistingOutput;
import dev.reweave.job.ConversionRequest.Proving;
import dev.reweave.job.Measuring;
import dev.reweave.job.Preparation;
import dev.reweave.job.RepeatedConversion;
import dev.reweave.job.SparkSessions;
import dev.reweave.job.Trial;
import dev.reweave.lake.TensorCatalog;
import dev.reweave.plan.ConversionPlan;
import dev.reweave.report.PlanText;
import dev.reweave.report.Summary;
import dev.reweave.storage.PartRule;
import dev.reweave.storage.Stores;
import java.io.PrintWriter;
import java.util.Optional;
import java.util.Set;
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
  private static final Set<String> BESIDE_AGAIN =
      Set.of(
          "--again",
          "--output",
          "--overwrite",
          "--no-resume",
          "--dry-run",
          "--sample",
          "--catalog",
          "--verbose");

  @Option(
      names = {"-i", "--input"},
      paramLabel = "URI",
      description =
          "The folder with 'latest', a tag folder in it, the folder of a model in safetensors or"
              + " pytorch_model.bin files, or one such file.")
  private Optional<String> input = Optional.empty();

  @Option(
      names = {"-o", "--output"},
      paramLabel = "URI",
      description = "The folder for the result: new or empty.")
  private Optional<String> output = Optional.empty();

  @Option(
      names = "--again",
      paramLabel = "URI",
      description =
          "Run the conversion again that a reweave.json tells of, with all its options; --output"
              + " names another folder for the result.")
  private Optional<String> again = Optional.empty();

  @Option(
      names = "--prove",
      description =
          "Compare the fp32 masters with the module's own weights, bit for bit, and publish"
              + " nothing if they are not the same.")
  private boolean prove;

  @Option(
      names = "--catalog",
      paramLabel = "URI",
      description =
          "Add a row for each tensor of the result to a folder of Parquet files, once for each"
              + " conversion.")
  private Optional<String> catalog = Optional.empty();

  @Option(names = "--overwrite", description = "Replace the model in the output folder.")
  private boolean overwrite;

  @Option(
      names = "--no-resume",
      description = "Start anew, whatever an earlier run of this conversion has done.")
  private boolean noResume;

  @Option(
      names = "--sample",
      paramLabel = "PERCENT",
      converter = Percent.class,
      description =
          "Try evenly spread chunks, such as 1%%: read, check and cast them, and write nothing.")
  private Optional<Double> sample = Optional.empty();

  @Option(names = "--dry-run", description = "Print the plan and write nothing.")
  private boolean dryRun;

  @Mixin private ReadArguments reading;
  @Mixin private PlanArguments planning;
  @Mixin private ModelArguments model;
  @CommandLine.Spec private CommandLine.Model.CommandSpec spec;

  @Override
  public Integer call() {
    PrintWriter out = spec.commandLine().getOut();
    ConversionRequest request = again.isPresent() ? repeated(again.get()) : request();
    if (dryRun) {
      printPlan(request, out);
    } else if (sample.isPresent()) {
      tryOut(request, sample.get(), out);
    } else {
      convert(request, catalog, out);
    }
    return CommandLine.ExitCode.OK;
  }

  private ConversionRequest repeated(String manifest) {
    for (CommandLine.Model.OptionSpec option :
        spec.commandLine().getParseResult().matchedOptions()) {
      if (!BESIDE_AGAIN.contains(option.longestName())) {
        throw new CommandLine.ParameterException(
            spec.commandLine(), option.longestName() + " is what --again takes from the manifest");
      }
    }
    return RepeatedConversion.read(
        new Stores(SparkSessions.hadoopConfiguration()), manifest, output, existing(), earlier());
  }

  private ExistingOutput existing() {
    return overwrite ? ExistingOutput.REPLACE : ExistingOutput.REFUSE;
  }

  private Earlier earlier() {
    return noResume ? Earlier.IGNORE : Earlier.CONTINUE;
  }

  private String required(Optional<String> value, String option) {
    return value.orElseThrow(
        () -> new CommandLine.ParameterException(spec.commandLine(), option + " is needed"));
  }

  /** What the arguments ask for. */
  ConversionRequest request() {
    return new ConversionRequest(
        required(input, "--input"),
        required(output, "--output"),
        reading.toOptions(),
        planning.toOptions(model.defaultType()),
        model.mapping(),
        model.base(),
        prove ? Proving.SECOND_COPY : Proving.CHECKSUMS,
        existing(),
        earlier());
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

  private static void tryOut(ConversionRequest request, double part, PrintWriter out) {
    try (JavaSparkContext spark = SparkSessions.start("reweave try " + request.output())) {
      Stores stores = new Stores(spark.hadoopConfiguration());
      Trial.Result result = new Trial(spark, stores).run(request, part);
      Summary.source(result.prepared().checkpoint().source(), result.prepared().notes())
          .forEach(out::println);
      Summary.trial(
              result.chunks(),
              result.ofChunks(),
              result.bytesRead(),
              result.bytesMade(),
              result.checked(),
              result.unchecked())
          .forEach(out::println);
      Summary.overflows(result.overflows()).ifPresent(out::println);
      Summary.differences(result.differences()).ifPresent(out::println);
    }
  }

  /** Converts and tells what was done. */
  static void convert(ConversionRequest request, PrintWriter out) {
    convert(request, Optional.empty(), out);
  }

  private static void convert(
      ConversionRequest request, Optional<String> catalog, PrintWriter out) {
    try (JavaSparkContext spark = SparkSessions.start("reweave convert " + request.output())) {
      Stores stores = new Stores(spark.hadoopConfiguration());
      // What can be wrong with the address is better known before the work is done.
      Optional<TensorCatalog> table = catalog.map(c -> new TensorCatalog(spark, stores, c));
      Measuring measuring = table.isPresent() ? Measuring.TENSORS : Measuring.NOTHING;
      Conversion.Outcome outcome = new Conversion(spark, stores).run(request, measuring);
      String address = stores.resolve(request.output());
      if (outcome.kind() == Conversion.Outcome.Kind.UP_TO_DATE) {
        out.println(Summary.upToDate(address));
      } else {
        Summary.result(outcome.manifest(), address).forEach(out::println);
      }
      table.ifPresent(t -> out.println(Summary.listed(t.add(outcome, address), t.address())));
    }
  }

  static final class Percent implements CommandLine.ITypeConverter<Double> {
    @Override
    public Double convert(String text) {
      if (text.matches("\\d{1,3}(\\.\\d{1,6})?%")) {
        double part = Double.parseDouble(text.substring(0, text.length() - 1)) / 100;
        if (part > 0 && part <= 1) {
          return part;
        }
      }
      throw new CommandLine.TypeConversionException(
          "'" + text + "' is not a percentage above 0, such as 1% or 0.1%");
    }
  }
}
