package dev.reweave.fuzz;

import dev.reweave.testing.Fixtures;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * A run of the fuzzer over one target: a process of its own with little memory, whose inputs, log
 * and findings are in {@code target/fuzz}.
 */
final class FuzzRun {
  private static final Path FOLDER = Path.of("target", "fuzz").toAbsolutePath();
  private static final Pattern SEEN = Pattern.compile("#\\d+\\s+(?:INITED|DONE).* ft: (\\d+) ");
  private static final Pattern EXECUTIONS =
      Pattern.compile("stat::number_of_executed_units: (\\d+)");

  /**
   * What the targets need. The fuzzer looks into every jar when it starts, for which those of Spark
   * are too many, and those of Hadoop enough for ten seconds.
   */
  private static final Pattern NEEDED =
      Pattern.compile(
          ".*/(?:classes|test-classes|reweave\\.jar"
              + "|(?:jackson-(?:core|databind|annotations)|jazzer|jazzer-api)-[0-9.]+\\.jar)");

  private static final Pattern HADOOP =
      Pattern.compile(
          ".*/(?:slf4j-api|jcl-over-slf4j|hadoop-client-(?:api|runtime))-[0-9.]+\\.jar");

  /** What a target stands on. */
  enum Ground {
    /** This program's classes. */
    OWN_CLASSES,
    /** File systems, too. */
    STORES
  }

  private static final int SHOWN_CHARS = 6000;
  private static final String SANITIZERS = "com.code_intelligence.jazzer.sanitizers.";

  /** Ends a run that hangs in one input; {@link Promise} says what is too long. */
  private static final int HANGING_SECONDS = 30;

  private final Class<?> target;
  private final Ground ground;
  private final Path folder;

  FuzzRun(Class<?> target, Ground ground) {
    this.target = target;
    this.ground = ground;
    this.folder = FOLDER.resolve(target.getSimpleName());
  }

  /**
   * What came of a run.
   *
   * @param exitCode 0 if there is no finding
   * @param executions inputs that were read
   * @param seedFeatures what of the code the seeds reach, as the fuzzer counts it
   * @param features what all inputs together reach
   * @param log the finding in the log, or its last lines
   */
  record Outcome(int exitCode, long executions, long seedFeatures, long features, String log) {}

  /**
   * Runs, and waits for the end.
   *
   * @param seconds after which it ends
   * @param runs inputs after which it ends earlier; -1 for no such end
   */
  Outcome run(List<byte[]> seeds, long seconds, long runs)
      throws IOException, InterruptedException {
    Path corpus = emptyFolder("corpus");
    Path seedFolder = emptyFolder("seeds");
    for (int i = 0; i < seeds.size(); i++) {
      Files.write(seedFolder.resolve(Integer.toString(i)), seeds.get(i));
    }
    List<String> command =
        List.of(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-Xmx256m",
            "-XX:+UseSerialGC",
            "-Djava.io.tmpdir=" + emptyFolder("tmp"),
            "-cp",
            classPath(),
            "com.code_intelligence.jazzer.Jazzer",
            "--target_class=" + target.getName(),
            "--instrumentation_includes=dev.reweave.**",
            "--instrumentation_excludes=dev.reweave.fuzz.**",
            // Its hooks look for calls that do harm. The one that inputs lead to is meant: mappings
            // hold regular expressions. Without them each input takes a tenth of the time.
            "--custom_hook_excludes=**",
            "--disabled_hooks=" + SANITIZERS + "RegexInjection:" + SANITIZERS + "RegexRoadblocks",
            "--reproducer_path=" + emptyFolder("findings"),
            "-artifact_prefix=" + folder.resolve("findings") + File.separator,
            "-seed=20260101",
            "-timeout=" + HANGING_SECONDS,
            // The system counts the memory of this process, which starts it, as that of its own.
            // The heap is bounded above.
            "-rss_limit_mb=0",
            "-max_len=4096",
            "-len_control=0",
            "-keep_seed=1",
            "-max_total_time=" + seconds,
            "-runs=" + runs,
            "-print_final_stats=1",
            corpus.toString(),
            seedFolder.toString());
    Path log = folder.resolve("log");
    Process process =
        new ProcessBuilder(command)
            .directory(folder.toFile())
            .redirectErrorStream(true)
            .redirectOutput(log.toFile())
            .start();
    try {
      boolean ended = process.waitFor(seconds + 4 * HANGING_SECONDS, TimeUnit.SECONDS);
      return outcome(ended ? process.exitValue() : -1, Files.readString(log));
    } finally {
      process.destroyForcibly();
    }
  }

  private Path emptyFolder(String name) throws IOException {
    Path empty = folder.resolve(name);
    if (Files.exists(empty)) {
      Fixtures.remove(empty);
    }
    return Files.createDirectories(empty);
  }

  private String classPath() {
    return Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator))
        .filter(
            entry ->
                NEEDED.matcher(entry).matches()
                    || (ground == Ground.STORES && HADOOP.matcher(entry).matches()))
        .collect(Collectors.joining(File.pathSeparator));
  }

  private static Outcome outcome(int exitCode, String log) {
    List<Long> features = new ArrayList<>();
    SEEN.matcher(log).results().map(FuzzRun::number).forEach(features::add);
    Matcher executions = EXECUTIONS.matcher(log);
    return new Outcome(
        exitCode,
        executions.find() ? number(executions) : 0,
        features.isEmpty() ? 0 : features.get(0),
        features.isEmpty() ? 0 : features.get(features.size() - 1),
        excerpt(log));
  }

  /** The finding, or the end. */
  private static String excerpt(String log) {
    int finding = log.indexOf("== Java Exception");
    int from = finding < 0 ? Math.max(0, log.length() - SHOWN_CHARS) : finding;
    return log.substring(from, Math.min(log.length(), from + SHOWN_CHARS));
  }

  private static long number(MatchResult match) {
    return Long.parseLong(match.group(1));
  }
}
