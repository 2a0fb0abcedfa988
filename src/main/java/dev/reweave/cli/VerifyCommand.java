package dev.reweave.cli;

import dev.reweave.job.SparkSessions;
import dev.reweave.job.Verification;
import dev.reweave.report.Summary;
import dev.reweave.storage.Stores;
import java.io.PrintWriter;
import java.util.concurrent.Callable;
import org.apache.spark.api.java.JavaSparkContext;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code reweave verify}. */
@Command(
    name = "verify",
    description = "Reads a converted folder back and lists what is wrong with it.",
    mixinStandardHelpOptions = true)
final class VerifyCommand implements Callable<Integer> {
  private static final int MOST_PROBLEMS = 20;

  @Parameters(paramLabel = "URI", description = "A folder of safetensors files.")
  private String folder;

  @CommandLine.Spec private CommandLine.Model.CommandSpec spec;

  @Override
  public Integer call() {
    return verify(folder, spec.commandLine().getOut(), spec.commandLine().getErr());
  }

  /** Verifies and tells what was found; gives the exit code. */
  static int verify(String folder, PrintWriter out, PrintWriter err) {
    try (JavaSparkContext spark = SparkSessions.start("reweave verify " + folder)) {
      Verification.Result result =
          new Verification(spark, new Stores(spark.hadoopConfiguration())).run(folder);
      if (result.problems().isEmpty()) {
        out.println(
            Summary.verified(
                result.shards(), result.tensors(), result.bytes(), result.checksums()));
        return CommandLine.ExitCode.OK;
      }
      result.problems().stream().limit(MOST_PROBLEMS).forEach(p -> err.println("reweave: " + p));
      err.println(
          "reweave: "
              + result.problems().size()
              + " problems in "
              + folder
              + "; convert the checkpoint again with --overwrite");
      return CommandLine.ExitCode.SOFTWARE;
    }
  }
}
