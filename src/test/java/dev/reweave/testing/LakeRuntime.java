package dev.reweave.testing;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * A table format, with the jars that a user adds to Spark for it.
 *
 * @param format its name
 * @param spark version of the Spark that it is for
 * @param artifact group, name and version in Maven Central
 */
public record LakeRuntime(Format format, String spark, String artifact) {
  /** All that are tried. */
  public static final List<LakeRuntime> ALL =
      List.of(
          new LakeRuntime(
              Format.ICEBERG, "4.0.4", "org.apache.iceberg:iceberg-spark-runtime-4.0_2.13:1.10.0"),
          new LakeRuntime(
              Format.ICEBERG, "4.1.3", "org.apache.iceberg:iceberg-spark-runtime-4.1_2.13:1.11.0"),
          new LakeRuntime(Format.DELTA, "4.0.4", "io.delta:delta-spark_2.13:4.0.0"),
          new LakeRuntime(Format.DELTA, "4.1.3", "io.delta:delta-spark_4.1_2.13:4.2.0"));

  /** Where a format's tables are, in a folder. */
  public enum Format {
    /** In a catalog of its own. */
    ICEBERG,
    /** In Spark's, by their addresses: others would need a metastore. */
    DELTA
  }

  /** Its jars, which Maven copies to {@code target} at the first call of any process. */
  public List<Path> jars() throws IOException, InterruptedException {
    String[] parts = artifact.split(":", -1);
    Path folder = Path.of("target", "lakes", parts[1] + "-" + parts[2]);
    if (!Files.exists(folder)) {
      Path made = folder.resolveSibling(folder.getFileName() + ".made").toAbsolutePath();
      List<String> command =
          new ArrayList<>(List.of("mvn", "-B", "-ntp", "-q", "-f", "src/test/lakes/pom.xml"));
      Optional.ofNullable(System.getProperty("maven.repo"))
          .ifPresent(repository -> command.add("-Dmaven.repo.local=" + repository));
      command.add("-Dlake.group=" + parts[0]);
      command.add("-Dlake.artifact=" + parts[1]);
      command.add("-Dlake.version=" + parts[2]);
      command.add("-Dfolder=" + made);
      command.add("process-resources");
      Launcher.Result copied = Launcher.begin(new TreeMap<>(), command).await();
      if (copied.exitCode() != 0) {
        throw new IOException("Maven copied no jars of " + artifact + ": " + copied);
      }
      Files.move(made, folder);
    }
    try (Stream<Path> jars = Files.list(folder)) {
      return jars.map(Path::toAbsolutePath).sorted().toList();
    }
  }

  /** The settings of Spark for tables in a folder, each as {@code KEY=VALUE}. */
  public List<String> settings(Path folder) {
    return switch (format) {
      case ICEBERG ->
          List.of(
              "spark.sql.catalog.lake=org.apache.iceberg.spark.SparkCatalog",
              "spark.sql.catalog.lake.type=hadoop",
              "spark.sql.catalog.lake.warehouse=" + folder.toUri());
      case DELTA ->
          List.of(
              "spark.sql.extensions=io.delta.sql.DeltaSparkSessionExtension",
              "spark.sql.catalog.spark_catalog=org.apache.spark.sql.delta.catalog.DeltaCatalog");
    };
  }

  /** The full name of a table. */
  public String table(Path folder, String name) {
    return switch (format) {
      case ICEBERG -> "lake.models." + name;
      case DELTA -> "spark_catalog.delta.`" + folder.resolve(name) + "`";
    };
  }

  /** A question for the number of commits that added rows to a table. */
  public String commits(Path folder, String name) {
    return switch (format) {
      case ICEBERG -> "SELECT count(*) FROM lake.models." + name + ".snapshots";
      case DELTA -> "SELECT count(DISTINCT _metadata.file_path) FROM " + table(folder, name);
    };
  }

  @Override
  public String toString() {
    return artifact;
  }
}
