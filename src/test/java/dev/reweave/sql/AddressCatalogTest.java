package dev.reweave.sql;

import static dev.reweave.sql.Queries.rows;
import static dev.reweave.sql.Queries.sql;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.common.ReweaveException;
import dev.reweave.testing.Fixtures;
import dev.reweave.testing.TestSpark;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.apache.spark.sql.AnalysisException;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Statements about tables that are checkpoints. */
class AddressCatalogTest {
  private static final String STEPS = "reweave.`" + Fixtures.folder("z2_bf16_w2_tags/ckpt") + "`";

  @TempDir Path temp;

  @BeforeEach
  void catalog() {
    TestSpark.session().conf().set("spark.sql.catalog.reweave", AddressCatalog.class.getName());
  }

  private static String tags(String version) {
    return String.join(" ", rows("SELECT DISTINCT tag FROM " + STEPS + version));
  }

  @Test
  void stepsAreVersions() {
    assertEquals("global_step1", tags(" VERSION AS OF 'global_step1'"));
    assertEquals("my-tag 2", tags(" VERSION AS OF 'my-tag 2'"));
    assertEquals("global_step1", tags(" VERSION AS OF 1"));
    assertEquals("my-tag 2", tags(" FOR VERSION AS OF 2"));
    assertEquals("global_step3", tags(" VERSION AS OF 3"));
    assertEquals(
        List.of("true"),
        rows(
            "SELECT count(*) > 0 FROM "
                + STEPS
                + " VERSION AS OF 1 a JOIN "
                + STEPS
                + " VERSION AS OF 3 b USING (name) WHERE a.crc32c <> b.crc32c"));
  }

  @Test
  void aVersionThatIsNoStep() {
    for (String version : List.of("4", "'step'", "'global_step'")) {
      String message =
          assertThrows(ReweaveException.class, () -> tags(" VERSION AS OF " + version))
              .getMessage();

      assertTrue(
          message.startsWith("no one step is version " + version.replace("'", "") + ": "), message);
      assertTrue(message.endsWith(": global_step1, global_step3, my-tag 2"), message);
    }
  }

  @Test
  void anAddressWhereNothingIs() {
    String nothing = "reweave.`" + temp.resolve("nothing") + "`";
    Map<String, String> conditions =
        Map.of(
            "SELECT * FROM ", "PATH_NOT_FOUND",
            "DESCRIBE ", "PATH_NOT_FOUND",
            "DROP TABLE ", "TABLE_OR_VIEW_NOT_FOUND");
    conditions.forEach(
        (statement, condition) -> {
          AnalysisException thrown =
              assertThrows(AnalysisException.class, () -> sql(statement + nothing).collectAsList());

          assertEquals(condition, thrown.getCondition(), statement);
          assertTrue(
              thrown.getMessage().contains(temp.resolve("nothing").toString()), thrown::getMessage);
        });
    assertEquals(List.of(), rows("DROP TABLE IF EXISTS " + nothing));
  }

  @Test
  void checkpointsAreOnlyRead() throws Exception {
    Path checkpoint = Fixtures.copy(Fixtures.folder("z2_bf16_w2/ckpt"), temp.resolve("in"));
    Map<String, String> before = Fixtures.digests(checkpoint);
    String table = "reweave.`" + checkpoint + "`";
    String nothing = "reweave.`" + temp.resolve("nothing") + "`";
    for (String statement :
        List.of(
            "DROP TABLE " + table,
            "DROP TABLE IF EXISTS " + table + " PURGE",
            "CREATE TABLE " + nothing + " (name STRING)",
            "CREATE TABLE " + nothing + " AS SELECT 1 one",
            "ALTER TABLE " + table + " ADD COLUMN more STRING",
            "ALTER TABLE " + table + " RENAME TO reweave.other")) {
      ReweaveException thrown =
          assertThrows(ReweaveException.class, () -> sql(statement).collectAsList(), statement);

      assertTrue(
          thrown
              .getMessage()
              .startsWith(
                  "checkpoints are only read: "
                      + statement.substring(0, statement.indexOf("TABLE") + 5)
                      + " does nothing: "),
          thrown::getMessage);
    }
    assertThrows(
        AnalysisException.class, () -> sql("CREATE TABLE " + table + " (x INT)").collectAsList());
    assertThrows(
        AnalysisException.class, () -> sql("INSERT INTO " + table + " SELECT * FROM " + table));
    assertEquals(before, Fixtures.digests(checkpoint));
  }
}
