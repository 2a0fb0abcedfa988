package dev.reweave.cli;

import dev.reweave.checkpoint.ReadOptions;
import dev.reweave.common.Counted;
import dev.reweave.common.Location;
import dev.reweave.common.Option;
import dev.reweave.common.Options;
import dev.reweave.common.Printable;
import dev.reweave.look.compare.Comparison;
import dev.reweave.look.compare.Verification;
import dev.reweave.look.report.Summary;
import dev.reweave.spark.Cluster;
import dev.reweave.spark.LocalFiles;
import dev.reweave.spark.SparkSessions;
import dev.reweave.storage.MetadataLimit;
import dev.reweave.storage.Safeguards;
import dev.reweave.storage.Stores;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** {@code reweave verify}. */
@Command(
    name = "verify",
    description = "Reads a converted folder back and lists what is wrong with it.",
    footerHeading = "%nExample:%n",
    footer = "  reweave verify out/my-llama",
    mixinStandardHelpOptions = true)
final class VerifyCommand implements Callable<Integer> {
  private static final Option<Optional<String>> AGAINST =
      Option.text("against", "CHECKPOINT")
          .under(Option.Theme.CHECKS)
          .help(
              "Compare the weights, bit for bit, with the module's own in the checkpoint that they"
                  + " were converted from.");

  private static final List<Option<?>> OPTIONS =
      List.of(
          AGAINST,
          ReadOptions.TAG.help("The saved step to compare with."),
          Safeguards.FOLLOW_LINKS,
          Safeguards.MAX_METADATA_BYTES,
          LocalFiles.SHARED_FILESYSTEM);

  private static final int MOST_PROBLEMS = 20;

  @Parameters(paramLabel = "URI", description = "A folder of safetensors files.")
  private String folder;

  @Mixin final CommandLine.Model.CommandSpec declared = DeclaredOptions.of(OPTIONS);
  @CommandLine.Spec private CommandLine.Model.CommandSpec spec;

  @Override
  public Integer call() {
    Options given = DeclaredOptions.given(spec, OPTIONS);
    Safeguards safeguards = Safeguards.of(given);
    Stores stores = new Stores(SparkSessions.hadoopConfiguration());
    Location converted = stores.locate(folder);
    Optional<Location> checkpoint = given.of(AGAINST).map(stores::locate);
    List<Location> addresses = new ArrayList<>(List.of(converted));
    checkpoint.ifPresent(addresses::add);
    SparkSessions.requireReachable(given.of(LocalFiles.SHARED_FILESYSTEM), addresses);
    return checkpoint.isPresent()
        ? compare(converted, checkpoint.get(), given.of(ReadOptions.TAG), safeguards)
        : verify(converted, safeguards.limit(), spec);
  }

  private int compare(
      Location folder, Location checkpoint, Optional<String> tag, Safeguards safeguards) {
    PrintWriter out = spec.commandLine().getOut();
    try (SparkSessions.Session session =
        SparkSessions.start("reweave compare " + folder, Main.progress(spec))) {
      Cluster machines = session.cluster();
      Comparison.Result result =
          new Comparison(machines, machines.stores()).run(folder, checkpoint, tag, safeguards);
      out.println(Summary.proof(result.tensors(), result.elements(), result.verdict()));
      return CommandLine.ExitCode.OK;
    }
  }

  /**
   * Verifies and tells what was found; gives the exit code.
   *
   * @param command that does it
   */
  static int verify(Location folder, MetadataLimit limit, CommandLine.Model.CommandSpec command) {
    PrintWriter out = command.commandLine().getOut();
    PrintWriter err = command.commandLine().getErr();
    try (SparkSessions.Session session =
        SparkSessions.start("reweave verify " + folder, Main.progress(command))) {
      Cluster machines = session.cluster();
      Verification.Result result =
          new Verification(machines, machines.stores().limited(limit)).run(folder);
      if (result.problems().isEmpty()) {
        out.println(
            Summary.verified(
                result.shards(), result.tensors(), result.bytes(), result.checksums()));
        return CommandLine.ExitCode.OK;
      }
      result.problems().stream()
          .limit(MOST_PROBLEMS)
          .forEach(p -> err.println("reweave: " + Printable.text(p)));
      err.println(
          "reweave: "
              + Counted.of(result.problems().size(), "problem")
              + " in "
              + folder
              + "; convert the checkpoint again with --overwrite");
      return CommandLine.ExitCode.SOFTWARE;
    }
  }
}
