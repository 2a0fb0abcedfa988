package dev.reweave.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.reweave.checkpoint.ReadOptions;
import dev.reweave.checkpoint.Unfamiliar;
import dev.reweave.common.Counted;
import dev.reweave.common.Location;
import dev.reweave.common.Option;
import dev.reweave.common.Options;
import dev.reweave.common.Printable;
import dev.reweave.common.Progress;
import dev.reweave.look.doctor.Depth;
import dev.reweave.look.doctor.Doctor;
import dev.reweave.look.doctor.Finding;
import dev.reweave.look.doctor.Severity;
import dev.reweave.plan.prepare.BaseChoice;
import dev.reweave.spark.SparkSessions;
import dev.reweave.storage.Stores;
import dev.reweave.storage.ThreadScanner;
import java.io.PrintWriter;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** {@code reweave doctor}: needs no Spark, as it reads little of each file. */
@Command(
    name = "doctor",
    description =
        "Tells all that is wrong with a checkpoint, a model folder or a pipeline, and what to do.",
    footerHeading = "%nExample:%n",
    footer = "  reweave doctor checkpoints/run-17 --base models/CogVideoX-5b",
    mixinStandardHelpOptions = true)
final class DoctorCommand implements Callable<Integer> {
  private static final Option<Depth> CHECKSUMS =
      Option.flag("checksums", Depth.STRUCTURE, Depth.CHECKSUMS)
          .under(Option.Theme.CHECKS)
          .help("Read all bytes of torch files and compare them with the stored checksums.");

  private static final List<Option<?>> OPTIONS =
      Stream.concat(
              Stream.of(
                  BaseChoice.BASE.help(
                      "A pre-trained pipeline or model to compare names and shapes with."),
                  CHECKSUMS,
                  ConvertOptions.JSON.help("Print one JSON document."),
                  Unfamiliar.STRICT),
              ReadOptions.OPTIONS.stream())
          .toList();

  private static final int SEVERITY_WIDTH = 7;

  @Parameters(
      paramLabel = "URI",
      description = "A checkpoint, a torch file, or a folder of a model or a pipeline.")
  private String address;

  @Mixin final CommandLine.Model.CommandSpec declared = DeclaredOptions.of(OPTIONS);
  @CommandLine.Spec private CommandLine.Model.CommandSpec spec;

  /** What is printed as JSON. */
  record Report(
      String path, List<Finding> findings, long problems, long warnings, String verdict) {}

  @Override
  public Integer call() {
    Options given = DeclaredOptions.given(spec, OPTIONS);
    Stores stores = new Stores(SparkSessions.hadoopConfiguration());
    Location place = stores.locate(address);
    Progress progress = Main.progress(spec);
    List<Finding> findings =
        new Doctor(
                stores, new ThreadScanner(stores, progress), given.of(Unfamiliar.STRICT), progress)
            .examine(
                place,
                given.of(BaseChoice.BASE).map(stores::locate),
                new ReadOptions(given),
                given.of(CHECKSUMS));
    long problems = count(findings, Severity.PROBLEM);
    long warnings = count(findings, Severity.WARNING);
    String verdict = verdict(problems, warnings);
    PrintWriter out = spec.commandLine().getOut();
    if (given.of(ConvertOptions.JSON)) {
      out.println(toJson(new Report(place.uri(), findings, problems, warnings, verdict)));
    } else {
      findings.forEach(f -> out.println(line(f)));
      out.println(verdict);
    }
    return problems > 0 ? CommandLine.ExitCode.SOFTWARE : CommandLine.ExitCode.OK;
  }

  private static long count(List<Finding> findings, Severity severity) {
    return findings.stream().filter(f -> f.severity().equals(severity)).count();
  }

  private static String line(Finding finding) {
    String severity = finding.severity().name();
    return severity
        + " ".repeat(SEVERITY_WIDTH - severity.length())
        + "  "
        + Printable.text(finding.text());
  }

  private static String verdict(long problems, long warnings) {
    return problems + warnings == 0
        ? "good: nothing to complain about"
        : Counted.of(problems, "problem") + ", " + Counted.of(warnings, "warning");
  }

  private static String toJson(Report report) {
    try {
      return JsonMapper.builder()
          .enable(SerializationFeature.INDENT_OUTPUT)
          .build()
          .writeValueAsString(report);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }
}
