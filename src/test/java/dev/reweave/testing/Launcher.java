package dev.reweave.testing;

import java.io.File;
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
    File out = File.createTempFile("reweave", ".out");
    File err = File.createTempFile("reweave", ".err");
    ProcessBuilder builder = new ProcessBuilder(command).redirectOutput(out).redirectError(err);
    builder.environment().putAll(environment);
    try {
      int exitCode = builder.start().waitFor();
      return new Result(exitCode, read(out.toPath()), read(err.toPath()));
    } finally {
      Files.delete(out.toPath());
      Files.delete(err.toPath());
    }
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

  private static String read(Path file) throws IOException {
    return Files.readString(file);
  }
}
