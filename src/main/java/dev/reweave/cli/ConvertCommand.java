package dev.reweave.cli;

import dev.reweave.common.Redacted;
import dev.reweave.convert.Conversion;
import dev.reweave.convert.ConversionRequest;
import dev.reweave.convert.ConversionRequest.Earlier;
import dev.reweave.convert.ConversionRequest.ExistingOutput;
import dev.reweave.convert.ConversionRequest.Proving;
import dev.reweave.convert.ConversionSeries;
import dev.reweave.convert.OutputTemplate;
import dev.reweave.convert.RepeatedConversion;
import dev.reweave.convert.StepRequests;
import dev.reweave.look.report.Summary;
import dev.reweave.manifest.ConversionEnd;
import dev.reweave.manifest.Manifest;
import dev.reweave.plan.Measuring;
import dev.reweave.plan.prepare.BaseUsed;
import dev.reweave.spark.Cluster;
import dev.reweave.spark.SparkSessions;
import dev.reweave.sql.ConvertedModel;
import dev.reweave.sql.TensorCatalog;
import dev.reweave.storage.ByteSize;
import dev.reweave.storage.ReadLimit;
import dev.reweave.storage.Stores;
import java.io.PrintWriter;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
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
          SafeguardArguments.FOLLOW_LINKS,
          SafeguardArguments.MAX_METADATA,
          "--again",
          "--output",
          "--overwrite",
          "--no-resume",
          "--dry-run",
          "--sample",
          "--shared-filesystem",
          "--json",
          "--max-bandwidth",
          "--catalog",
          "--verify",
          "--sha256",
          "--on-nonfinite",
          StrictArguments.STRICT,
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
      description =
          "The folder for the result: new or empty. {tag} in it stands for the saved step, {date} for"
              + " the day on which the command began, in UTC, such as 2026-01-31.")
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
          "Compare all fp32 masters with the module's own weights, bit for bit, and publish"
              + " nothing if they are not the same; without it a sample of them is compared.")
  private boolean prove;

  @Option(
      names = "--no-proof",
      description =
          "Do not even compare the sample of the weights that is compared by default with the"
              + " module's own.")
  private boolean noProof;

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

  @Option(
      names = "--list",
      paramLabel = "URI",
      description =
          "Convert all checkpoints of a file: one JSON object on each line, with options of this"
              + " command without their dashes, such as {\"input\": \"URI\", \"output\": \"URI\"}.")
  private Optional<String> list = Optional.empty();

  @Option(
      names = "--json",
      description = "Print one line of JSON for each conversion, and all else on the error stream.")
  private boolean json;

  @Option(
      names = "--max-bandwidth",
      paramLabel = "SIZE",
      converter = Bandwidth.class,
      description =
          "Most bytes that one task reads of the weights per second, such as 50MB, for a store"
              + " that others use, too; all tasks that run at once read as much each. No limit by"
              + " default.")
  private ReadLimit limit = ReadLimit.NONE;

  @Option(names = "--dry-run", description = "Print the plan and write nothing.")
  private boolean dryRun;

  @Mixin private ReadArguments reading;
  @Mixin private PlanArguments planning;
  @Mixin private ModelArguments model;
  @Mixin private CheckArguments checks;
  @Mixin private ClusterArguments cluster;
  @CommandLine.Spec private CommandLine.Model.CommandSpec spec;

  private final SparkUse spark;

  ConvertCommand() {
    this(SparkUse::ofItsOwn);
  }

  ConvertCommand(SparkUse spark) {
    this.spark = spark;
  }

  @Override
  public Integer call() {
    LocalDate today = LocalDate.now(ZoneOffset.UTC);
    if (dryRun || sample.isPresent()) {
      rehearse(today);
      return CommandLine.ExitCode.OK;
    }
    long start = System.nanoTime();
    ConversionReports reports =
        new ConversionReports(
            spec.commandLine(), json ? ConversionReports.Form.JSON : ConversionReports.Form.WORDS);
    try {
      List<ConversionRequest> asked = asked();
      asked.forEach(this::requireReachable);
      spark.run(
          "reweave convert " + list.orElseGet(() -> asked.get(0).output()),
          machines -> convert(machines, asked, today, reports));
    } catch (CommandLine.ParameterException e) {
      throw e;
    } catch (Exception | Error e) { // Spark throws checked ones without saying so.
      // Before the first conversion: what is known of it is what the command line says.
      reports.add(
          ConversionEnd.failed(
              Redacted.text(input.orElse("")),
              Redacted.text(output.orElse("")),
              "",
              (System.nanoTime() - start) / 1e9,
              e));
    }
    return reports.exitCode();
  }

  private void convert(
      Cluster machines, List<ConversionRequest> asked, LocalDate today, ConversionReports reports) {
    Stores stores = machines.stores();
    // What can be wrong with the address is better known before the work is done.
    Optional<TensorCatalog> table = catalog.map(c -> new TensorCatalog(machines, stores, c));
    table.ifPresent(t -> asked.forEach(request -> requireApart(t, request)));
    List<String> listed = new ArrayList<>();
    ConversionSeries series =
        new ConversionSeries(
            machines,
            stores,
            new StepRequests(stores, today),
            limit,
            table.isPresent() ? Measuring.TENSORS : Measuring.NOTHING,
            (outcome, address) ->
                table.ifPresent(
                    t ->
                        listed.add(
                            Summary.listed(t.add(converted(outcome, address)), t.address()))),
            Main.plans(spec));
    for (ConversionRequest request : asked) {
      series.run(
          request,
          end -> {
            reports.add(end);
            listed.forEach(reports::tell);
            listed.clear();
          });
    }
    if (list.isPresent() || asked.stream().anyMatch(StepRequests::areSeveral)) {
      reports.tellAll();
    }
  }

  private static ConvertedModel converted(Conversion.Outcome outcome, String output) {
    Manifest manifest = outcome.manifest();
    return new ConvertedModel(
        output,
        manifest.baseUsed().map(BaseUsed::component).orElse(""),
        manifest.input().tag(),
        manifest.fingerprint(),
        outcome.digests());
  }

  private static void requireApart(TensorCatalog table, ConversionRequest request) {
    table.requireOutside("input", request.input());
    request.base().ifPresent(base -> table.requireOutside("base", base.address()));
  }

  private void requireReachable(ConversionRequest request) {
    SparkSessions.requireReachable(cluster.localFiles(), request.addresses());
  }

  private void rehearse(LocalDate today) {
    if (json || list.isPresent()) {
      throw wrong("--dry-run and --sample go neither with --list nor with --json");
    }
    ConversionRequest asked = asked().get(0);
    requireReachable(asked);
    if (StepRequests.areSeveral(asked)) {
      throw wrong("--dry-run and --sample are for one step: name it with --tag");
    }
    PrintWriter out = spec.commandLine().getOut();
    Stores stores = new Stores(SparkSessions.hadoopConfiguration());
    ConversionRequest request = new StepRequests(stores, today).one(asked);
    Rehearsal rehearsal = new Rehearsal(request, out, Main.plans(spec));
    if (dryRun) {
      rehearsal.plan(stores);
    } else {
      spark.run(
          "reweave try " + request.output(),
          machines -> rehearsal.tryOut(machines, machines.stores(), sample.orElseThrow(), limit));
    }
  }

  private CommandLine.ParameterException wrong(String message) {
    return new CommandLine.ParameterException(spec.commandLine(), message);
  }

  /** All that is asked for, none of it begun. */
  private List<ConversionRequest> asked() {
    if (list.isPresent() && again.isPresent()) {
      throw wrong("--list and --again do not go together");
    }
    if (list.isPresent()) {
      return new ListedRequests(spec)
          .read(new Stores(SparkSessions.hadoopConfiguration()), list.get());
    }
    return List.of(again.isPresent() ? repeated(again.get()) : request());
  }

  private ConversionRequest repeated(String manifest) {
    for (CommandLine.Model.OptionSpec option :
        spec.commandLine().getParseResult().matchedOptions()) {
      if (!BESIDE_AGAIN.contains(option.longestName())) {
        throw wrong(option.longestName() + " is what --again takes from the manifest");
      }
    }
    return sound(
        RepeatedConversion.read(
                new Stores(SparkSessions.hadoopConfiguration()),
                manifest,
                output,
                checks.toChecks(),
                existing(),
                earlier())
            .withSafeguards(reading.safeguards()));
  }

  private ExistingOutput existing() {
    return overwrite ? ExistingOutput.REPLACE : ExistingOutput.REFUSE;
  }

  private Earlier earlier() {
    return noResume ? Earlier.IGNORE : Earlier.CONTINUE;
  }

  private String required(Optional<String> value, String option) {
    return value.orElseThrow(() -> wrong(option + " is needed"));
  }

  private Proving proving() {
    if (prove && noProof) {
      throw wrong("--prove and --no-proof exclude each other");
    }
    return prove ? Proving.SECOND_COPY : noProof ? Proving.NONE : Proving.SAMPLE;
  }

  /** What the arguments ask for. */
  ConversionRequest request() {
    return sound(
        new ConversionRequest(
            required(input, "--input"),
            required(output, "--output"),
            reading.toOptions(),
            planning.toOptions(model.defaultType()),
            model.mapping(),
            model.base(),
            proving(),
            checks.toChecks(),
            existing(),
            earlier()));
  }

  /** The same, if its output has known placeholders, and that of several steps their tags. */
  private ConversionRequest sound(ConversionRequest request) {
    try {
      boolean named = new OutputTemplate(request.output()).namesTag();
      if (StepRequests.areSeveral(request) && !named) {
        throw wrong(
            "--tag "
                + request.reading().tag().orElseThrow()
                + " needs an output for each step: put {tag} in --output, as in models/{tag}");
      }
      return request;
    } catch (IllegalArgumentException e) {
      throw new CommandLine.ParameterException(spec.commandLine(), e.getMessage(), e);
    }
  }

  static final class Bandwidth implements CommandLine.ITypeConverter<ReadLimit> {
    @Override
    public ReadLimit convert(String text) {
      try {
        return new ReadLimit(ByteSize.parse(text));
      } catch (IllegalArgumentException e) {
        throw new CommandLine.TypeConversionException(e.getMessage());
      }
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
