package dev.reweave.testing;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.apache.spark.package$;

/** The jars of the Spark of this build with its clients of YARN and of Kubernetes. */
public final class ClusterJars {
  private ClusterJars() {}

  /** All of them, which Maven copies to {@code target} at the first call of any process. */
  public static List<Path> all() throws IOException, InterruptedException {
    String spark = package$.MODULE$.SPARK_VERSION();
    Path folder = Path.of("target", "clusters", spark);
    if (!Files.exists(folder)) {
      Path made = folder.resolveSibling(spark + ".made").toAbsolutePath();
      List<String> command =
          new ArrayList<>(List.of("mvn", "-B", "-ntp", "-q", "-f", "src/test/clusters/pom.xml"));
      Optional.ofNullable(System.getProperty("maven.repo"))
          .ifPresent(repository -> command.add("-Dmaven.repo.local=" + repository));
      command.add("-Dspark.version=" + spark);
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
}
