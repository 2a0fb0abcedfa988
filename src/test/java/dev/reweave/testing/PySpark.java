package dev.reweave.testing;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * PySpark in a Python environment of its own, with what its client of Spark Connect needs.
 *
 * @param version of PySpark
 */
public record PySpark(String version) {
  private static final List<String> ALL = List.of("4.0.5", "4.1.4", "4.2.0");

  /** Those that are tried, or those that a property names. */
  public static Stream<PySpark> wanted() {
    String named = System.getProperty("clients", "");
    List<String> versions = named.isEmpty() ? ALL : Arrays.asList(named.split(",", -1));
    return versions.stream().map(PySpark::new);
  }

  /**
   * The environment, which is made in {@code target} at the first call of any process.
   *
   * @param line of a shell that makes the folder {@code spark}
   */
  public Path environment(String line) throws IOException, InterruptedException {
    Path folder = Path.of("target", "clients", version).toAbsolutePath();
    // Programs in it have its path inside, so it cannot be moved to its place when it is whole.
    Path whole = folder.resolve("whole");
    if (!Files.exists(whole)) {
      Files.createDirectories(folder);
      Launcher.Result made =
          Launcher.begin(
                  Map.of("PIP_DISABLE_PIP_VERSION_CHECK", "1"),
                  List.of("bash", "-c", "cd '" + folder + "' && " + line))
              .await();
      if (made.exitCode() != 0) {
        throw new IOException("PySpark " + version + " was not installed: " + made);
      }
      Files.createFile(whole);
    }
    return folder.resolve("spark");
  }

  /** A command of a shell in the environment. */
  public static List<String> command(Path environment, Path folder, String line) {
    return new ArrayList<>(
        List.of(
            "bash",
            "-c",
            "cd '" + folder + "' && . '" + environment + "/bin/activate' && " + line));
  }

  /** Variables of a Spark that serves this machine alone. */
  public static Map<String, String> variables() {
    Map<String, String> variables = new TreeMap<>();
    variables.put("JAVA_HOME", System.getProperty("java.home"));
    variables.put("SPARK_LOCAL_IP", "127.0.0.1");
    variables.put("SPARK_SUBMIT_OPTS", Launcher.SHORT_LIVED);
    return variables;
  }

  @Override
  public String toString() {
    return version;
  }
}
