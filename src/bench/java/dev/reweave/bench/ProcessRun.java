package dev.reweave.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Runs a command as a process of its own, and tells what it took. A shell around it tells the user
 * and system time of the command and of all that it waited for.
 *
 * <p>Its peak memory is what the kernel keeps of the highest resident memory ({@code VmHWM} in
 * {@code /proc}), looked at every few milliseconds until the process ends: the number only ever
 * rises, so no peak is missed but one in the last few milliseconds.
 */
public final class ProcessRun {
  private static final Pattern TIME = Pattern.compile("(\\d+)m(\\d+)[.,](\\d+)s");
  private static final String SHELL = "\"$@\"; code=$?; times >\"$0\"; exit \"$code\"";
  private static final int LONGEST = 200;
  private static final int TAIL = 4000;

  private ProcessRun() {}

  /**
   * What a process took.
   *
   * @param seconds from its start to its end
   * @param coreSeconds user and system time
   * @param peakMegabytes the most memory that it ever held; 0 where the system does not tell
   */
  public record Taken(double seconds, double coreSeconds, double peakMegabytes) {
    /** One after the other. */
    public Taken then(Taken next) {
      return new Taken(
          seconds + next.seconds,
          coreSeconds + next.coreSeconds,
          Math.max(peakMegabytes, next.peakMegabytes));
    }
  }

  /**
   * Runs a command to its end.
   *
   * @param environment variables beside those of this process
   * @throws IllegalStateException with what it said, if it fails
   */
  public static Taken run(Map<String, String> environment, List<String> command)
      throws IOException, InterruptedException {
    Path said = Files.createTempFile("reweave-bench-", ".log");
    Path times = Files.createTempFile("reweave-bench-", ".times");
    try {
      List<String> shell = new ArrayList<>(List.of("bash", "-c", SHELL, times.toString()));
      shell.addAll(command);
      ProcessBuilder builder =
          new ProcessBuilder(shell).redirectErrorStream(true).redirectOutput(said.toFile());
      builder.environment().putAll(environment);
      long start = System.nanoTime();
      Process process = builder.start();
      double peak = PeakMemory.megabytes(process, () -> child(process));
      double seconds = (System.nanoTime() - start) / 1e9;
      if (process.exitValue() != 0) {
        throw new IllegalStateException(
            "exit code " + process.exitValue() + " of " + words(command) + "\n" + tail(said));
      }
      return new Taken(seconds, coreSeconds(Files.readAllLines(times)), peak);
    } finally {
      Files.delete(said);
      Files.delete(times);
    }
  }

  private static long child(Process shell) {
    return shell.children().mapToLong(ProcessHandle::pid).findFirst().orElse(0);
  }

  /** The second line is that of the children. */
  private static double coreSeconds(List<String> times) {
    Matcher time = TIME.matcher(times.get(1));
    double seconds = 0;
    while (time.find()) {
      seconds +=
          Integer.parseInt(time.group(1)) * 60
              + Double.parseDouble(time.group(2) + "." + time.group(3));
    }
    return seconds;
  }

  /** A command without the middle of a class path. */
  private static List<String> words(List<String> command) {
    return command.stream()
        .map(word -> word.length() > LONGEST ? word.substring(0, LONGEST) + "…" : word)
        .toList();
  }

  private static String tail(Path said) throws IOException {
    String text = Files.readString(said);
    return text.substring(Math.max(0, text.length() - TAIL));
  }
}
