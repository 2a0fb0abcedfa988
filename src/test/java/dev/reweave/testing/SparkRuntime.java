package dev.reweave.testing;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * A Spark with the Hadoop that it brings, and what S3A of that Hadoop needs.
 *
 * @param spark its version
 * @param hadoop its version
 * @param sdk version of the AWS SDK
 * @param newestJava the highest version of Java on which it starts
 * @param source where its jars come from
 */
public record SparkRuntime(String spark, String hadoop, String sdk, int newestJava, Source source) {
  /** Where jars of a Spark come from. */
  public enum Source {
    /** Maven Central. */
    MAVEN,
    /** The package of PySpark, where Maven Central does not have them yet: pip fetches it. */
    PYSPARK
  }

  /** All that Reweave is to run on. */
  public static final List<SparkRuntime> ALL =
      List.of(
          new SparkRuntime("4.0.4", "3.4.1", "2.29.52", 23, Source.MAVEN),
          new SparkRuntime("4.1.3", "3.4.2", "2.29.52", 23, Source.MAVEN),
          new SparkRuntime("4.2.0", "3.5.0", "2.35.4", 25, Source.MAVEN),
          new SparkRuntime("4.3.0", "3.5.0", "2.35.4", 25, Source.PYSPARK));

  private static final String VERSION = "JAVA_VERSION=\"";

  /** What a jar is called before its version, and Scala's. */
  private static final Pattern ARTIFACT = Pattern.compile("(.+?)(_2\\.\\d+)?-\\d.*\\.jar");

  /** Its jars, which are copied to {@code target} at the first call of any process. */
  public List<Path> jars() throws IOException, InterruptedException {
    Path folder = Path.of("target", "sparks", spark);
    if (!Files.exists(folder)) {
      Path made = folder.resolveSibling(spark + ".made").toAbsolutePath();
      if (source == Source.MAVEN) {
        copyFromMaven(made);
      } else {
        copyFromPySpark(made);
      }
      Files.move(made, folder);
    }
    try (Stream<Path> jars = Files.list(folder)) {
      return jars.map(Path::toAbsolutePath).sorted().toList();
    }
  }

  private void copyFromMaven(Path made) throws IOException, InterruptedException {
    List<String> command =
        new ArrayList<>(List.of("mvn", "-B", "-ntp", "-q", "-f", "src/test/sparks/pom.xml"));
    Optional.ofNullable(System.getProperty("maven.repo"))
        .ifPresent(repository -> command.add("-Dmaven.repo.local=" + repository));
    command.add("-Dspark.version=" + spark);
    command.add("-Dhadoop.version=" + hadoop);
    command.add("-Daws.sdk.version=" + sdk);
    command.add("-Dfolder=" + made);
    command.add("process-resources");
    run(command);
  }

  /** S3A and the SDK are not in it: they are taken from the Spark with the same Hadoop. */
  private void copyFromPySpark(Path made) throws IOException, InterruptedException {
    Path fetched = Files.createTempDirectory("pyspark");
    run(
        List.of(
            "python3",
            "-m",
            "pip",
            "download",
            "--quiet",
            "--no-deps",
            "--no-binary",
            ":all:",
            "--dest",
            fetched.toString(),
            "pyspark==" + spark));
    Path archive = fetched.resolve("pyspark-" + spark + ".tar.gz");
    String jars = "pyspark-" + spark + "/deps/jars";
    run(List.of("tar", "-xzf", archive.toString(), "-C", fetched.toString(), jars));
    Files.createDirectories(made);
    Set<String> artifacts = new HashSet<>();
    try (Stream<Path> all = Files.list(fetched.resolve(jars))) {
      for (Path jar : all.filter(Files::isRegularFile).toList()) {
        artifacts.add(artifact(jar));
        Files.move(jar, made.resolve(jar.getFileName()));
      }
    }
    SparkRuntime other =
        ALL.stream()
            .filter(o -> o.source == Source.MAVEN && o.hadoop.equals(hadoop))
            .findFirst()
            .orElseThrow();
    for (Path jar : other.jars()) {
      if (artifacts.add(artifact(jar))) {
        Files.copy(jar, made.resolve(jar.getFileName()));
      }
    }
    try (Stream<Path> left = Files.walk(fetched)) {
      for (Path path : left.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(path);
      }
    }
  }

  private static String artifact(Path jar) {
    String name = jar.getFileName().toString();
    Matcher matcher = ARTIFACT.matcher(name);
    return matcher.matches() ? matcher.group(1) : name;
  }

  private void run(List<String> command) throws IOException, InterruptedException {
    Launcher.Result ran = Launcher.begin(Map.of(), command).await();
    if (ran.exitCode() != 0) {
      throw new IOException("no jars of Spark " + spark + " were copied: " + ran);
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
