package dev.reweave.bench.table;

import dev.reweave.bench.ProcessRun;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/**
 * A built source tree of the product.
 *
 * @param home its root
 */
record Product(Path home) {
  /**
   * The heap of every command: enough for all of them, so that none profits from a large machine.
   */
  static final Map<String, String> HEAP = Map.of("REWEAVE_MEMORY", "512m");

  Product {
    if (!Files.isRegularFile(home.resolve("target/reweave.jar"))) {
      throw new IllegalArgumentException(
          home + " has no target/reweave.jar: run mvn -DskipTests package there");
    }
  }

  /** Runs a command of the product as a user does. */
  ProcessRun.Taken run(String... arguments) throws IOException, InterruptedException {
    return run(HEAP, Arrays.asList(arguments));
  }

  /** The same with more environment variables. */
  ProcessRun.Taken run(Map<String, String> environment, List<String> arguments)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(List.of(home.resolve("submit/reweave").toString()));
    command.addAll(arguments);
    return ProcessRun.run(environment, command);
  }

  /** The jar and Spark, as an embedded run has them. */
  String classpath() throws IOException {
    Path target = home.resolve("target");
    return target.resolve("reweave.jar")
        + ":"
        + Files.readString(target.resolve("classpath")).strip();
  }

  /** The commit that is checked out there; with a plus if files differ from it. */
  String commit() throws IOException, InterruptedException {
    String commit = Machine.said("git", "-C", home.toString(), "rev-parse", "--short", "HEAD");
    String changes =
        Machine.said(
            "git", "-C", home.toString(), "status", "--porcelain", "-uno", "src", "submit");
    return commit.isEmpty() ? "unknown" : commit + (changes.isEmpty() ? "" : "+");
  }
}
