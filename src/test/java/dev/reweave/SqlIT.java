package dev.reweave;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.reweave.testing.Fixtures;
import dev.reweave.testing.ReleaseFolder;
import dev.reweave.testing.SqlProcess;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Somebody else's application, with the packaged jar beside Spark's own and nothing more. */
class SqlIT {
  @TempDir Path temp;

  @Test
  void theJarAloneMakesCheckpointsTables() throws Exception {
    String checkpoint = Fixtures.folder("z3_bf16_w2/ckpt").toUri().toString();
    String expected = Fixtures.folder("z3_bf16_w2/expected.safetensors").toString();
    SqlProcess sql = new SqlProcess(SqlProcess.thisJava(), sparksOwn(), temp);

    List<String> rows =
        sql.run(
            "CREATE TEMPORARY VIEW t USING reweave OPTIONS (path '" + checkpoint + "')",
            "SELECT count(*) > 3 FROM t WHERE name LIKE '%weight'",
            "SELECT count(*) FROM t FULL JOIN reweave.`"
                + expected
                + "` e USING (name) WHERE NOT t.crc32c <=> e.crc32c");

    assertEquals(List.of("true", "0"), rows);
  }

  /**
   * What tasks read and give back passes through parts of Spark that know the application alone.
   */
  @ParameterizedTest
  @ValueSource(strings = {"ADD JAR ", "ADD ARTIFACT "})
  void aSessionBringsTheJarAlong(String adding) throws Exception {
    String checkpoint = Fixtures.folder("z3_bf16_w2/ckpt").toUri().toString();
    String expected = Fixtures.folder("z3_bf16_w2/expected.safetensors").toString();
    SqlProcess sql = new SqlProcess(SqlProcess.thisJava(), sparksOwn(), temp);

    List<String> rows =
        sql.runWithoutJar(
            adding + Path.of("target/reweave.jar").toAbsolutePath(),
            "CREATE TEMPORARY VIEW t USING reweave OPTIONS (path '" + checkpoint + "')",
            "CREATE TEMPORARY VIEW e USING reweave OPTIONS (path '" + expected + "')",
            "SELECT count(*) > 3, count(DISTINCT crc32c) > 3 FROM t WHERE name LIKE '%weight'",
            "SELECT count(*) FROM t FULL JOIN e USING (name) WHERE NOT t.crc32c <=> e.crc32c");

    assertEquals(List.of("true true", "0"), rows);
  }

  /** Without the jars for S3, which Spark does not bring. */
  private static List<Path> sparksOwn() throws Exception {
    return ReleaseFolder.embeddedJars().stream()
        .filter(jar -> !jar.toString().contains("hadoop-aws"))
        .filter(jar -> !jar.toString().contains("software/amazon"))
        .toList();
  }
}
