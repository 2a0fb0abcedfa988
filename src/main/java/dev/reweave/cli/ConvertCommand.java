package dev.reweave.cli;

import dev.reweave.common.Option;
import dev.reweave.common.Options;
import dev.reweave.common.Redacted;
import dev.reweave.convert.AskedConversion;
import dev.reweave.convert.ConversionRequest;
import dev.reweave.convert.ConversionSeries;
import dev.reweave.convert.OutputTemplate;
import dev.reweave.convert.RepeatedConversion;
import dev.reweave.convert.StepRequests;
import dev.reweave.manifest.ConversionEnd;
import dev.reweave.spark.Cluster;
import dev.reweave.spark.LocalFiles;
import dev.reweave.spark.SparkSessions;
import dev.reweave.storage.ReadLimit;
import dev.reweave.storage.Stores;
import java.io.PrintWriter;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code reweave convert}. */
@Command(
    name = "convert",
    customSynopsis = {
      "reweave convert -i URI -o URI [OPTIONS]",
      "       reweave convert --list URI [OPTIONS]",
      "       reweave convert --again URI [OPTIONS]"
    },
    description = "Converts a checkpoint to sharded safetensors with an index.",
    footerHeading = "%nExample:%n",
    footer = "  reweave convert -i runs/17 -o out/my-llama --base models/Llama-3.1-8B",
    mixinStandardHelpOptions = true)
final class ConvertCommand implements Callable<Integer> {
  @Mixin final CommandLine.Model.CommandSpec declared = DeclaredOptions.of(ConvertOptions.ALL);
  @CommandLine.Spec private CommandLine.Model.CommandSpec spec;

  private final SparkUse spark;

  ConvertCommand() {
    this.spark = (name, work) -> SparkUse.ofItsOwn(name, Main.progress(spec), work);
  }

  ConvertCommand(SparkUse spark) {
    this.spark = spark;
  }

  @Override
  public Integer call() {
    Options given = DeclaredOptions.given(spec, ConvertOptions.ALL);
    LocalDate today = LocalDate.now(ZoneOffset.UTC);
    if (given.of(ConvertOptions.DRY_RUN) || given.has(ConvertOptions.SAMPLE)) {
      rehearse(given, today);
      return CommandLine.ExitCode.OK;
    }
    long start = System.nanoTime();
    ConversionReports reports =
        new ConversionReports(
            spec.commandLine(),
            given.of(ConvertOptions.JSON)
                ? ConversionReports.Form.JSON
                : ConversionReports.Form.WORDS);
    try {
      Stores stores = new Stores(SparkSessions.hadoopConfiguration());
      List<AskedConversion> asked = allAsked(stores, given);
      asked.forEach(a -> requireReachable(stores, a, given, today));
      spark.run(
          "reweave convert "
              + given.of(ConvertOptions.LIST).orElseGet(() -> asked.get(0).output().text()),
          machines -> convert(machines, given, asked, today, reports));
    } catch (CommandLine.ParameterException e) {
      throw e;
    } catch (Exception | Error e) { // Spark throws checked ones without saying so.
      // Before the first conversion: what is known of it is what the command line says.
      reports.add(
          ConversionEnd.failed(
              Redacted.text(given.of(AskedConversion.INPUT).orElse("")),
              Redacted.text(given.of(AskedConversion.OUTPUT).map(OutputTemplate::text).orElse("")),
              "",
              (System.nanoTime() - start) / 1e9,
              e));
    }
    return reports.exitCode();
  }

  private void convert(
      Cluster machines,
      Options given,
      List<AskedConversion> asked,
      LocalDate today,
      ConversionReports reports) {
    Stores stores = machines.stores();
    // What can be wrong with a catalog is better known before the work is done.
    Catalogs catalogs = Catalogs.of(machines, stores, given);
    asked.forEach(one -> requireApart(catalogs, one));
    try (Reports reported = Reports.of(machines, stores, given, catalogs)) {
      run(machines, given, asked, new StepRequests(stores, today), reported, reports);
    }
    if (isOfSeveral(given, asked)) {
      reports.tellAll();
    }
  }

  private void run(
      Cluster machines,
      Options given,
      List<AskedConversion> asked,
      StepRequests steps,
      Reports reported,
      ConversionReports reports) {
    ConversionSeries series =
        new ConversionSeries(
            machines,
            machines.stores(),
            steps,
            given.of(ReadLimit.MAX_BANDWIDTH),
            reported.measuring(),
            reported,
            Main.plans(spec));
    for (AskedConversion one : asked) {
      series.run(
          one,
          end -> {
            reports.add(end);
            reported.told().forEach(reports::tell);
            if (!isOfSeveral(given, asked)) {
              reports.tellNext(machines.stores(), end);
            }
          });
    }
  }

  private static boolean isOfSeveral(Options given, List<AskedConversion> asked) {
    return given.has(ConvertOptions.LIST) || asked.stream().anyMatch(AskedConversion::isOfSeveral);
  }

  private static void requireApart(Catalogs catalogs, AskedConversion asked) {
    catalogs.requireOutside("input", asked.input());
    asked.options().base().ifPresent(base -> catalogs.requireOutside("base", base.address()));
  }

  private static void requireReachable(
      Stores stores, AskedConversion asked, Options given, LocalDate today) {
    SparkSessions.requireReachable(
        given.of(LocalFiles.SHARED_FILESYSTEM), asked.addresses(stores, today));
  }

  private void rehearse(Options given, LocalDate today) {
    if (given.of(ConvertOptions.JSON) || given.has(ConvertOptions.LIST)) {
      throw wrong("--dry-run and --sample go neither with --list nor with --json");
    }
    Stores stores = new Stores(SparkSessions.hadoopConfiguration());
    AskedConversion asked = allAsked(stores, given).get(0);
    requireReachable(stores, asked, given, today);
    if (asked.isOfSeveral()) {
      throw wrong("--dry-run and --sample are for one step: name it with --tag");
    }
    PrintWriter out = spec.commandLine().getOut();
    ConversionRequest request = new StepRequests(stores, today).one(asked);
    DryRun rehearsal = new DryRun(request, out, Main.plans(spec), Main.progress(spec));
    if (given.of(ConvertOptions.DRY_RUN)) {
      rehearsal.plan(stores);
    } else {
      spark.run(
          "reweave try " + request.output(),
          machines ->
              rehearsal.tryOut(
                  machines,
                  machines.stores(),
                  given.of(ConvertOptions.SAMPLE).orElseThrow(),
                  given.of(ReadLimit.MAX_BANDWIDTH)));
    }
  }

  private CommandLine.ParameterException wrong(String message) {
    return new CommandLine.ParameterException(spec.commandLine(), message);
  }

  /** All that is asked for, none of it begun. */
  private List<AskedConversion> allAsked(Stores stores, Options given) {
    Optional<String> list = given.of(ConvertOptions.LIST);
    Optional<String> again = given.of(ConvertOptions.AGAIN);
    if (list.isPresent() && again.isPresent()) {
      throw wrong("--list and --again do not go together");
    }
    if (list.isPresent()) {
      return new ListedRequests(spec.commandLine(), given).read(stores, stores.locate(list.get()));
    }
    return List.of(again.isPresent() ? repeated(stores, again.get(), given) : asked(stores));
  }

  private AskedConversion repeated(Stores stores, String manifest, Options given) {
    for (Option<?> option : ConvertOptions.ALL) {
      if (given.has(option) && option.part() == Option.Part.RESULT) {
        throw wrong(option.name() + " is what --again takes from the manifest");
      }
    }
    return RepeatedConversion.read(stores, stores.locate(manifest), given);
  }

  /** What the arguments ask for. */
  AskedConversion asked(Stores stores) {
    try {
      return AskedConversion.of(stores, DeclaredOptions.given(spec, ConvertOptions.ALL));
    } catch (IllegalArgumentException e) {
      throw new CommandLine.ParameterException(spec.commandLine(), e.getMessage(), e);
    }
  }
}
