package dev.reweave;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.reweave.testing.Fixtures;
import dev.reweave.testing.SqlApplication;
import java.io.File;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.stream.Collectors;
import org.apache.spark.launcher.JavaModuleOptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Somebody else's application, with the packaged jar beside Spark's own and nothing more. */
class SqlIT {
  @TempDir Path temp;

  @Test
  void theJarAloneMakesCheckpointsTables() throws Exception {
    String checkpoint = Fixtures.folder("z3_bf16_w2/ckpt").toUri().toString();
    String expected = Fixtures.folder("z3_bf16_w2/expected.safetensors").toString();

    List<String> rows =
        run(
            "CREATE TEMPORARY VIEW t USING reweave OPTIONS (path '" + checkpoint + "')",
            "SELECT count(*) > 3 FROM t WHERE name LIKE '%weight'",
            "SELECT count(*) FROM t FULL JOIN reweave.`"
                + expected
                + "` e USING (name) WHERE NOT t.crc32c <=> e.crc32c");

    assertEquals(List.of("true", "0"), rows);
  }

  private List<String> run(String... statements) throws Exception {
    Path answers = temp.resolve("answers");
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(Arrays.asList(JavaModuleOptions.defaultModuleOptionArray()));
    command.addAll(List.of("-Xmx1g", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"));
    command.addAll(List.of("-cp", sparksOwn(), "org.apache.spark.deploy.SparkSubmit"));
    for (String setting :
        List.of(
            "spark.ui.enabled=false",
            "spark.driver.host=127.0.0.1",
            "spark.sql.warehouse.dir=" + temp.resolve("warehouse"),
            "spark.sql.catalog.reweave=dev.reweave.sql.AddressCatalog")) {
      command.addAll(List.of("--conf", setting));
    }
    command.addAll(
        List.of(
            "--master",
            "local[2]",
            "--jars",
            Path.of("target/reweave.jar").toUri().toString(),
            "--class",
            SqlApplication.class.getName(),
            application().toString(),
            answers.toString()));
    command.addAll(Arrays.asList(statements));
    File log = temp.resolve("log").toFile();
    ProcessBuilder builder =
        new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(log);
    builder.environment().put("SPARK_LOCAL_IP", "127.0.0.1");

    int exitCode = builder.start().waitFor();

    assertEquals(0, exitCode, () -> text(log.toPath()));
    return Files.readAllLines(answers);
  }

  private static String text(Path file) {
    try {
      return Files.readString(file);
    } catch (java.io.IOException e) {
      return e.toString();
    }
  }

  /** Without the jars for S3, which Spark does not bring. */
  private static String sparksOwn() throws Exception {
    String all = Files.readString(Path.of("target/classpath")).strip();
    return Arrays.stream(all.split(File.pathSeparator, -1))
        .filter(jar -> !jar.contains("hadoop-aws") && !jar.contains("software/amazon"))
        .collect(Collectors.joining(File.pathSeparator));
  }

  private Path application() throws Exception {
    Path jar = temp.resolve("application.jar");
    String entry = SqlApplication.class.getName().replace('.', '/') + ".class";
    try (JarOutputStream out = new JarOutputStream(Files.newOutputStream(jar));
        InputStream in = SqlApplication.class.getClassLoader().getResourceAsStream(entry)) {
      out.putNextEntry(new JarEntry(entry));
      in.transferTo(out);
    }
    return jar;
  }
}
