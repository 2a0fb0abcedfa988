package dev.reweave.soak;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/** A process, whose output is kept, and which can be killed. */
final class Command {
  /** Of a process that nothing could stop from being killed. */
  private static final int KILLED = 128 + 9;

  /**
   * A JVM that lives for seconds spends them on its work, not on compiling it well; many runs want
   * little memory.
   */
  private static final Map<String, String> SHORT_LIVED =
      Map.of(
          "REWEAVE_MEMORY",
          "512m",
          "REWEAVE_JAVA_OPTS",
          "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
          "SPARK_LOCAL_IP",
          "127.0.0.1");

  private Command() {}

  /**
   * How a process ended.
   *
   * @param seconds how long it ran
   * @param said what it printed
   */
  record Ended(int exitCode, double seconds, String said) {
    boolean isKilled() {
      return exitCode == KILLED;
    }
  }

  /** The packaged product, as users start it. */
  static List<String> reweave(List<String> settings, List<String> arguments) {
    List<String> command = new ArrayList<>(List.of("submit/reweave"));
    command.addAll(settings);
    command.addAll(arguments);
    return List.copyOf(command);
  }

  /** Settings of Hadoop as words of such a command. */
  static List<String> settings(Map<String, String> hadoop) {
    List<String> words = new ArrayList<>();
    hadoop.forEach((k, v) -> words.addAll(List.of("--conf", "spark.hadoop." + k + "=" + v)));
    return List.copyOf(words);
  }

  /** Runs the product to its end. */
  static Ended run(List<String> command, Path log) throws IOException, InterruptedException {
    return run(SHORT_LIVED, command, log, Optional.empty());
  }

  /** Runs the product and kills it, if it does not come to its end before. */
  static Ended kill(List<String> command, Path log, Duration after)
      throws IOException, InterruptedException {
    return run(SHORT_LIVED, command, log, Optional.of(after));
  }

  /** Runs any command to its end, with more environment variables. */
  static Ended run(Map<String, String> environment, List<String> command, Path log)
      throws IOException, InterruptedException {
    return run(environment, command, log, Optional.empty());
  }

  private static Ended run(
      Map<String, String> environment, List<String> command, Path log, Optional<Duration> kill)
      throws IOException, InterruptedException {
    ProcessBuilder builder =
        new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(log.toFile());
    builder.environment().putAll(environment);
    long start = System.nanoTime();
    // The launcher becomes the JVM: it is one process, and this kills it with SIGKILL.
    Process process = builder.start();
    try {
      if (kill.isPresent() && !process.waitFor(kill.get().toNanos(), TimeUnit.NANOSECONDS)) {
        process.destroyForcibly();
      }
      int exitCode = process.waitFor();
      return new Ended(exitCode, (System.nanoTime() - start) / 1e9, Files.readString(log));
    } finally {
      process.destroyForcibly();
    }
  }
}
