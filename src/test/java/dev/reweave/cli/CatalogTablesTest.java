package dev.reweave.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.testing.Fixtures;
import dev.reweave.testing.MemoryCatalog;
import dev.reweave.testing.MemoryTable;
import dev.reweave.testing.TestSpark;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.UUID;
import org.apache.spark.sql.connector.catalog.Column;
import org.apache.spark.sql.types.DataTypes;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The command, and tables in a catalog of its Spark. */
class CatalogTablesTest {
  @TempDir Path temp;

  private final String lake = "lake" + UUID.randomUUID().toString().replace("-", "");
  private final String tensors = lake + ".models.tensors";
  private final String runs = lake + ".models.runs";

  @BeforeEach
  void catalog() {
    TestSpark.session().conf().set("spark.sql.catalog." + lake, MemoryCatalog.class.getName());
  }

  private ConvertRun convert(String tag) {
    return ConvertRun.of(
        "-i",
        Fixtures.folder("z2_bf16_w2_tags/ckpt"),
        "-o",
        temp + "/models/{tag}",
        "--tag",
        tag,
        "--catalog-table",
        tensors,
        "--runs-table",
        runs);
  }

  private static String rows(String query) {
    return TestSpark.session().sql(query).collectAsList().toString();
  }

  @Test
  void eachStepIsListedOnce() {
    ConvertRun first = convert("all");
    assertEquals(0, first.exitCode(), first::toString);
    assertTrue(first.out().contains("listed 8 tensors in " + tensors), first::toString);
    assertTrue(first.out().contains("listed 1 run in " + runs), first::toString);
    ConvertRun again = convert("new");
    assertEquals(0, again.exitCode(), again::toString);
    assertTrue(
        again.out().contains("listed before: " + runs + " has the rows of this conversion"),
        again::toString);

    String listed =
        "[[global_step1,global_step1,8], [global_step3,global_step3,8], [my-tag 2,my-tag 2,8]]";
    assertEquals(
        listed, rows("SELECT model, tag, count(*) FROM " + tensors + " GROUP BY 1, 2 ORDER BY 1"));
    assertEquals(listed, rows("SELECT model, tag, tensors FROM " + runs + " ORDER BY model"));
  }

  @Test
  void aTableThatDoesNotFitIsRefusedBeforeTheWork() throws Exception {
    MemoryCatalog.put(
        runs, new MemoryTable(runs, new Column[] {Column.create("run", DataTypes.LongType)}));

    ConvertRun run = convert("all");

    assertEquals(1, run.exitCode(), run::toString);
    assertEquals(1, run.err().size(), run::toString);
    assertTrue(
        run.err().get(0).startsWith("reweave: the table has not the columns for these rows: "),
        run::toString);
    assertTrue(Files.notExists(temp.resolve("models")));
  }

  @Test
  void aModelStaysWhoseRowsCouldNotBeAdded() {
    assertEquals(0, convert("global_step1").exitCode());
    MemoryCatalog.table(tensors).let(MemoryTable.Commits.FAIL);

    ConvertRun failed = convert("global_step3");

    assertEquals(1, failed.exitCode(), failed::toString);
    assertTrue(
        failed.err().get(0).startsWith("reweave: the model is published, but its tensors could"),
        failed::toString);
    assertTrue(Files.exists(temp.resolve("models/global_step3/model.safetensors")));
    // A run is listed once its tensors are.
    assertEquals("[[global_step1]]", rows("SELECT model FROM " + runs));

    MemoryCatalog.table(tensors).let(MemoryTable.Commits.SUCCEED);
    assertEquals(0, convert("global_step3").exitCode());
    assertEquals(
        "[[global_step1], [global_step3]]", rows("SELECT model FROM " + runs + " ORDER BY 1"));
  }

  @Test
  void aNameWithoutACatalogIsNone() {
    for (String option : List.of("--catalog-table", "--runs-table")) {
      ConvertRun run = ConvertRun.of("-i", "in", "-o", "out", option, "tensors");

      assertEquals(2, run.exitCode(), run::toString);
      assertTrue(
          run.err().toString().contains("'tensors' is not the name of a table with its catalog"),
          run::toString);
    }
  }
}
