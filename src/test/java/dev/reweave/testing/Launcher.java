package dev.reweave.testing;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;

/** Runs {@code submit/reweave} as a process. */
public final class Launcher {
  /** Lets a JVM that lives for seconds spend them on its work, not on compiling it well. */
  public static final String SHORT_LIVED = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC";

  private static final String JVM_OPTIONS = "REWEAVE_JAVA_OPTS";

  private Launcher() {}

  /** What a run printed, and its exit code. */
  public record Result(int exitCode, String out, String err) {}

  /** Runs with these arguments, in a short-lived JVM, and waits for the end. */
  public static Result run(String... args) throws IOException, InterruptedException {
    return run(Map.of(JVM_OPTIONS, SHORT_LIVED + mapped()), args);
  }

  /** Runs with these arguments and more environment variables, in a JVM as users have it. */
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

  /** Starts a short-lived run whose output nobody reads, and does not wait for it. */
  public static Process start(String... args) throws IOException {
    List<String> command = new ArrayList<>();
    command.add("submit/reweave");
    Collections.addAll(command, args);
    ProcessBuilder builder =
        new ProcessBuilder(command)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .redirectError(ProcessBuilder.Redirect.DISCARD);
    builder.environment().put(JVM_OPTIONS, SHORT_LIVED + mapped());
    return builder.start();
  }

  /**
   * The option that maps the classes of a run from a file, as the JVM had them in memory at the end
   * of an earlier one. The file is made once for each jar, by whichever process comes first.
   */
  private static synchronized String mapped() throws IOException {
    Path target = Path.of("target");
    long made = Files.getLastModifiedTime(target.resolve("reweave.jar")).toMillis();
    Path classes = target.resolve("classes-" + made + ".jsa");
    try (FileChannel lock =
            FileChannel.open(
                target.resolve("classes.lock"),
                StandardOpenOption.CREATE,
                StandardOpenOption.WRITE);
        FileLock held = lock.lock()) {
      if (!Files.exists(classes)) {
        String write = " -XX:ArchiveClassesAtExit=" + classes;
        Result demo = run(Map.of(JVM_OPTIONS, SHORT_LIVED + write), "demo");
        if (demo.exitCode() != 0 || !held.isValid()) {
          throw new IOException("no archive of classes: " + demo);
        }
      }
    } catch (InterruptedException e) {
      throw new IOException(e);
    }
    return " -XX:SharedArchiveFile=" + classes;
  }
}
