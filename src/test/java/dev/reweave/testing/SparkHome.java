package dev.reweave.testing;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import org.apache.spark.launcher.JavaModuleOptions;

/** What a Spark installation has: a folder of jars, and scripts to submit and to start with. */
public final class SparkHome {
  private SparkHome() {}

  /**
   * Makes one.
   *
   * @param jars of Spark and Hadoop, which it links
   */
  public static Path make(Path home, Collection<Path> jars) throws IOException {
    Path all = Files.createDirectories(home.resolve("jars"));
    for (Path jar : jars) {
      Files.createSymbolicLink(all.resolve(jar.getFileName()), jar);
    }
    String program = Path.of(System.getProperty("java.home"), "bin", "java").toString();
    script(
        home.resolve("bin/spark-class"),
        """
        exec '%s' -Xmx256m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Dspark.master.rest.enabled=false \
          '-Dlog4j2.configurationFile=%s' %s -cp '%s/*' "$@"
        """
            .formatted(
                program,
                Path.of("conf", "log4j2-verbose.properties").toAbsolutePath(),
                JavaModuleOptions.defaultModuleOptions(),
                all));
    // The launcher prints the command with a NUL after each word, and a line before it.
    script(
        home.resolve("bin/spark-submit"),
        """
        words=()
        while IFS= read -r -d '' word; do
          words+=("$word")
        done < <('%s' -Xmx64m -cp '%s/*' org.apache.spark.launcher.Main \
          org.apache.spark.deploy.SparkSubmit "$@")
        exec "${words[1]#$'\\n'}" "${words[@]:2}"
        """
            .formatted(program, all));
    return home;
  }

  private static void script(Path file, String content) throws IOException {
    Files.createDirectories(file.getParent());
    Files.writeString(
        file,
        "#!/usr/bin/env bash\nset -euo pipefail\nexport SPARK_SCALA_VERSION=2.13\n" + content);
    if (!file.toFile().setExecutable(true)) {
      throw new IOException("cannot make executable: " + file);
    }
  }
}
