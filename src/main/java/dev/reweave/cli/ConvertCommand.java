package dev.reweave.cli;

import dev.reweave.common.Location;
import dev.reweave.common.Redacted;
import dev.reweave.convert.AskedConversion;
import dev.reweave.convert.Conversion;
import dev.reweave.convert.ConversionOptions;
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
      Stores stores = new Stores(SparkSessions.hadoopConfiguration());
      List<AskedConversion> asked = allAsked(stores);
      asked.forEach(a -> requireReachable(stores, a, today));
      spark.run(
          "reweave convert " + list.orElseGet(() -> asked.get(0).output().text()),
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
      Cluster machines, List<AskedConversion> asked, LocalDate today, ConversionReports reports) {
    Stores stores = machines.stores();
    // What can be wrong with the address is better known before the work is done.
    Optional<TensorCatalog> table =
        catalog.map(c -> new TensorCatalog(machines, stores, stores.locate(c)));
    table.ifPresent(t -> asked.forEach(one -> requireApart(t, one)));
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
                            Summary.listed(t.add(converted(outcome, address)), t.address().uri()))),
            Main.plans(spec));
    for (AskedConversion one : asked) {
      series.run(
          one,
          end -> {
            reports.add(end);
            listed.forEach(reports::tell);
            listed.clear();
          });
    }
    if (list.isPresent() || asked.stream().anyMatch(AskedConversion::isOfSeveral)) {
      reports.tellAll();
    }
  }

  private static ConvertedModel converted(Conversion.Outcome outcome, Location output) {
    Manifest manifest = outcome.manifest();
    return new ConvertedModel(
        output,
        manifest.baseUsed().map(BaseUsed::component).orElse(""),
        manifest.input().tag(),
        manifest.fingerprint(),
        outcome.digests());
  }

  private static void requireApart(TensorCatalog table, AskedConversion asked) {
    table.requireOutside("input", asked.input());
    asked.options().base().ifPresent(base -> table.requireOutside("base", base.address()));
  }

  private void requireReachable(Stores stores, AskedConversion asked, LocalDate today) {
    SparkSessions.requireReachable(cluster.localFiles(), asked.addresses(stores, today));
  }

  private void rehearse(LocalDate today) {
    if (json || list.isPresent()) {
      throw wrong("--dry-run and --sample go neither with --list nor with --json");
    }
    Stores stores = new Stores(SparkSessions.hadoopConfiguration());
    AskedConversion asked = allAsked(stores).get(0);
    requireReachable(stores, asked, today);
    if (asked.isOfSeveral()) {
      throw wrong("--dry-run and --sample are for one step: name it with --tag");
    }
    PrintWriter out = spec.commandLine().getOut();
    ConversionRequest request = new StepRequests(stores, today).one(asked);
    DryRun rehearsal = new DryRun(request, out, Main.plans(spec));
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
  private List<AskedConversion> allAsked(Stores stores) {
    if (list.isPresent() && again.isPresent()) {
      throw wrong("--list and --again do not go together");
    }
    if (list.isPresent()) {
      return new ListedRequests(spec).read(stores, stores.locate(list.get()));
    }
    return List.of(again.isPresent() ? repeated(stores, again.get()) : asked(stores));
  }

  private AskedConversion repeated(Stores stores, String manifest) {
    for (CommandLine.Model.OptionSpec option :
        spec.commandLine().getParseResult().matchedOptions()) {
      if (!BESIDE_AGAIN.contains(option.longestName())) {
        throw wrong(option.longestName() + " is what --again takes from the manifest");
      }
    }
    AskedConversion asked =
        RepeatedConversion.read(
            stores,
            stores.locate(manifest),
            output.map(this::template),
            checks.toChecks(),
            existing(),
            earlier());
    return sound(
        new AskedConversion(
            asked.input(), asked.output(), asked.options().withSafeguards(reading.safeguards())));
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
  AskedConversion asked(Stores stores) {
    String from = required(input, "--input");
    String to = required(output, "--output");
    return sound(
        new AskedConversion(
            stores.locate(from),
            template(to),
            new ConversionOptions(
                reading.toOptions(),
                planning.toOptions(model.defaultType()),
                model.mapping(),
                model.base(stores),
                proving(),
                checks.toChecks(),
                existing(),
                earlier())));
  }

  private OutputTemplate template(String text) {
    try {
      return new OutputTemplate(text);
    } catch (IllegalArgumentException e) {
      throw new CommandLine.ParameterException(spec.commandLine(), e.getMessage(), e);
    }
  }

  /** The same, if the output of several steps has their tags. */
  private AskedConversion sound(AskedConversion asked) {
    if (asked.isOfSeveral() && !asked.output().namesTag()) {
      throw wrong(
          "--tag "
              + asked.options().reading().tag().orElseThrow()
              + " needs an output for each step: put {tag} in --output, as in models/{tag}");
    }
    return asked;
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
