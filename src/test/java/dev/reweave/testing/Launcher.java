package dev.reweave.testing;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;

/** Runs {@code submit/reweave} as a process. */
public final class Launcher {
  private Launcher() {}

  /** What a run printed, and its exit code. */
  public record Result(int exitCode, String out, String err) {}

  /** Runs with these arguments and waits for the end. */
  public static Result run(String... args) throws IOException, InterruptedException {
    return run(Map.of(), args);
  }

  /** Runs with these arguments and more environment variables. */
  public static Result run(Map<String, String> environment, String... args)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.add("submit/reweave");
    Collections.addAll(command, args);
    return begin(environment, command).await();
  }

  /** A process that was started, whose output is kept. */
  public record Running(Process process, Path out, Path err) {
    /** Waits for its end. */
    public Result await() throws IOException, InterruptedException {
      try {
        int exitCode = process.waitFor();
        return new Result(exitCode, Files.readString(out), Files.readString(err));
      } finally {
        Files.delete(out);
        Files.delete(err);
      }
    }
  }

  /**
   * Starts a command and does not wait for it.
   *
   * @param environment variables beside those of this process
   */
  public static Running begin(Map<String, String> environment, List<String> command)
      throws IOException {
    Path out = Files.createTempFile("reweave", ".out");
    Path err = Files.createTempFile("reweave", ".err");
    ProcessBuilder builder =
        new ProcessBuilder(command).redirectOutput(out.toFile()).redirectError(err.toFile());
    builder.environment().putAll(environment);
    return new Running(builder.start(), out, err);
  }

  /** Starts a run whose output nobody reads, and does not wait for it. */
  public static Process start(String... args) throws IOException {
    List<String> command = new ArrayList<>();
    command.add("submit/reweave");
    Collections.addAll(command, args);
    return new ProcessBuilder(command)
        .redirectOutput(ProcessBuilder.Redirect.DISCARD)
        .redirectError(ProcessBuilder.Redirect.DISCARD)
        .start();
  }
}
