package dev.reweave.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The most memory that a process ever held, where the system tells it. */
final class PeakMemory {
  private static final Pattern PEAK = Pattern.compile("VmHWM:\\s+(\\d+) kB");
  private static final long POLL_MILLIS = 10;

  private PeakMemory() {}

  /** Looks at the high-water mark until the process ends; it only ever rises. */
  static double megabytes(Process process) throws InterruptedException {
    return megabytes(process, process::pid);
  }

  /**
   * The same of another process, until the one that waits for it ends.
   *
   * @param pid of the process; 0 as long as there is none
   */
  static double megabytes(Process waiting, LongSupplier pid) throws InterruptedException {
    double peak = 0;
    while (!waiting.waitFor(POLL_MILLIS, TimeUnit.MILLISECONDS)) {
      try {
        Path status = Path.of("/proc", Long.toString(pid.getAsLong()), "status");
        Matcher line = PEAK.matcher(Files.readString(status));
        if (line.find()) {
          peak = Math.max(peak, Long.parseLong(line.group(1)) * 1024 / 1e6);
        }
      } catch (IOException e) {
        // The process has just ended, or the system has no such files.
        continue;
      }
    }
    return peak;
  }
}
