package dev.reweave.bench.table;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What is measured on. */
final class Machine {
  private static final Pattern MODEL = Pattern.compile("model name\\s*:\\s*(.*)");
  private static final Pattern MEMORY = Pattern.compile("MemTotal:\\s+(\\d+) kB");

  private Machine() {}

  /** Processor, cores, memory, operating system. */
  static String text() {
    String model = found(MODEL, Path.of("/proc/cpuinfo"));
    String kilobytes = found(MEMORY, Path.of("/proc/meminfo"));
    return Runtime.getRuntime().availableProcessors()
        + " cores"
        + (model.isEmpty() ? "" : " of " + model.replaceAll("\\s+", " "))
        + (kilobytes.isEmpty()
            ? ""
            : ", " + Long.parseLong(kilobytes) * 1024 / 1_000_000_000 + " GB")
        + ", "
        + System.getProperty("os.name")
        + " "
        + System.getProperty("os.version");
  }

  private static String found(Pattern line, Path file) {
    try {
      Matcher matcher = line.matcher(Files.readString(file));
      return matcher.find() ? matcher.group(1) : "";
    } catch (IOException e) {
      return ""; // Another system than Linux.
    }
  }

  /** What a command prints; nothing if it fails or is not there. */
  static String said(String... command) throws IOException, InterruptedException {
    try {
      Process process =
          new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.DISCARD).start();
      String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      return process.waitFor() == 0 ? said.strip() : "";
    } catch (IOException e) {
      return "";
    }
  }
}
