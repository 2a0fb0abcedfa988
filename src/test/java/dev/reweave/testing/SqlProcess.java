package dev.reweave.testing;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.stream.Collectors;
import org.apache.spark.launcher.JavaModuleOptions;

/**
 * Somebody else's application that asks SQL: a process of spark-submit with Spark's own jars, and
 * the packaged one.
 *
 * @param java the program
 * @param jars Spark's own
 * @param folder for what the application needs and leaves
 */
public record SqlProcess(Path java, Collection<Path> jars, Path folder) {
  /** The Java that runs this one. */
  public static Path thisJava() {
    return Path.of(System.getProperty("java.home"), "bin", "java");
  }

  /** Runs statements; gives the rows of all answers, with spaces between the columns. */
  public List<String> run(String... statements) throws IOException, InterruptedException {
    return run(List.of(), statements);
  }

  /**
   * Runs statements.
   *
   * @param settings more of Spark, each as {@code KEY=VALUE}
   */
  public List<String> run(List<String> settings, String... statements)
      throws IOException, InterruptedException {
    List<String> all = new ArrayList<>(settings);
    all.add("spark.jars=" + Path.of("target/reweave.jar").toUri());
    return ask(all, statements);
  }

  /**
   * Runs statements in an application that was started without the packaged jar. They may add it,
   * also as {@code ADD ARTIFACT FILE}.
   */
  public List<String> runWithoutJar(String... statements) throws IOException, InterruptedException {
    return ask(List.of(), statements);
  }

  private List<String> ask(List<String> settings, String... statements)
      throws IOException, InterruptedException {
    Path answers = folder.resolve("answers");
    List<String> command = new ArrayList<>();
    command.add(java.toString());
    command.addAll(Arrays.asList(JavaModuleOptions.defaultModuleOptionArray()));
    command.addAll(List.of("-Xmx1g", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"));
    command.addAll(List.of("-cp", classpath(), "org.apache.spark.deploy.SparkSubmit"));
    for (String setting :
        List.of(
            "spark.ui.enabled=false",
            "spark.driver.host=127.0.0.1",
            "spark.sql.warehouse.dir=" + folder.resolve("warehouse"),
            "spark.sql.catalog.reweave=dev.reweave.sql.AddressCatalog")) {
      command.addAll(List.of("--conf", setting));
    }
    settings.forEach(setting -> command.addAll(List.of("--conf", setting)));
    command.addAll(
        List.of(
            "--master",
            "local[2]",
            "--class",
            SqlApplication.class.getName(),
            application().toString(),
            answers.toString()));
    command.addAll(Arrays.asList(statements));
    Path log = folder.resolve("log");
    ProcessBuilder builder =
        new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(log.toFile());
    builder.environment().put("SPARK_LOCAL_IP", "127.0.0.1");
    int exitCode = builder.start().waitFor();
    if (exitCode != 0) {
      throw new IOException("it ended with " + exitCode + ":\n" + Files.readString(log));
    }
    return Files.readAllLines(answers);
  }

  private String classpath() {
    return jars.stream().map(Path::toString).collect(Collectors.joining(File.pathSeparator));
  }

  private Path application() throws IOException {
    Path jar = folder.resolve("application.jar");
    String entry = SqlApplication.class.getName().replace('.', '/') + ".class";
    try (JarOutputStream out = new JarOutputStream(Files.newOutputStream(jar));
        InputStream in = SqlApplication.class.getClassLoader().getResourceAsStream(entry)) {
      out.putNextEntry(new JarEntry(entry));
      in.transferTo(out);
    }
    return jar;
  }
}
