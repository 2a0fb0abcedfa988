package dev.reweave.testing;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * A Spark with the Hadoop that it brings, and what S3A of that Hadoop needs.
 *
 * @param spark its version
 * @param hadoop its version
 * @param sdk version of the AWS SDK
 * @param newestJava the highest version of Java on which it starts
 */
public record SparkRuntime(String spark, String hadoop, String sdk, int newestJava) {
  /** All that Reweave is to run on, and Maven Central has. */
  public static final List<SparkRuntime> ALL =
      List.of(
          new SparkRuntime("4.0.4", "3.4.1", "2.29.52", 23),
          new SparkRuntime("4.1.3", "3.4.2", "2.29.52", 23),
          new SparkRuntime("4.2.0", "3.5.0", "2.35.4", 25));

  private static final String VERSION = "JAVA_VERSION=\"";

  /** Its jars, which Maven copies to {@code target} at the first call of any process. */
  public List<Path> jars() throws IOException, InterruptedException {
    Path folder = Path.of("target", "sparks", spark);
    if (!Files.exists(folder)) {
      Path made = folder.resolveSibling(spark + ".made").toAbsolutePath();
      List<String> command =
          new ArrayList<>(List.of("mvn", "-B", "-ntp", "-q", "-f", "src/test/sparks/pom.xml"));
      Optional.ofNullable(System.getProperty("maven.repo"))
          .ifPresent(repository -> command.add("-Dmaven.repo.local=" + repository));
      command.add("-Dspark.version=" + spark);
      command.add("-Dhadoop.version=" + hadoop);
      command.add("-Daws.sdk.version=" + sdk);
      command.add("-Dfolder=" + made);
      command.add("process-resources");
      Launcher.Result copied = Launcher.begin(Map.of(), command).await();
      if (copied.exitCode() != 0) {
        throw new IOException("Maven copied no jars of Spark " + spark + ": " + copied);
      }
      Files.move(made, folder);
    }
    try (Stream<Path> jars = Files.list(folder)) {
      return jars.map(Path::toAbsolutePath).sorted().toList();
    }
  }

  /** The homes of those Javas on which it starts: this process's own, and a newer one beside it. */
  public List<Path> javas() throws IOException {
    Path own = Path.of(System.getProperty("java.home"));
    List<Path> homes = new ArrayList<>(List.of(own));
    try (Stream<Path> others = Files.list(own.toRealPath().getParent())) {
      others
          .filter(Files::isDirectory)
          .filter(home -> feature(home) > Runtime.version().feature())
          .filter(home -> feature(home) <= newestJava)
          .findFirst()
          .ifPresent(homes::add);
    }
    return homes;
  }

  /** The version of the Java in a folder, such as 25; 0 if there is none. */
  private static int feature(Path home) {
    try {
      return Files.readAllLines(home.resolve("release")).stream()
          .filter(line -> line.startsWith(VERSION))
          .mapToInt(line -> Integer.parseInt(line.substring(VERSION.length()).split("[.\"]", 2)[0]))
          .findFirst()
          .orElse(0);
    } catch (IOException e) {
      return 0;
    }
  }
}
