package dev.reweave.sql;

import static dev.reweave.sql.Queries.rows;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.common.ReweaveException;
import dev.reweave.convert.Conversion;
import dev.reweave.plan.Measuring;
import dev.reweave.testing.Converting;
import dev.reweave.testing.Fixtures;
import dev.reweave.testing.Locations;
import dev.reweave.testing.MemoryCatalog;
import dev.reweave.testing.TestSpark;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What conversions leave in a folder of runs, as SQL shows it. */
class RunCatalogTest {
  private static final Path CHECKPOINT = Fixtures.folder("z3_bf16_w2_bn/ckpt");

  @TempDir Path temp;

  private ConvertedModel made(Converting what, Path output) {
    Conversion.Outcome outcome =
        new Conversion(TestSpark.cluster(), TestSpark.stores())
            .run(what.request(), Measuring.TENSORS);
    return Converted.of(outcome, Locations.of(output).uri());
  }

  private ConvertedModel made(Path output) {
    return made(Converting.between(CHECKPOINT, output).type("bfloat16"), output);
  }

  private Path folder() {
    return temp.resolve("runs");
  }

  private RunCatalog runs() {
    return new RunCatalog(TestSpark.cluster(), TestSpark.stores(), Locations.of(folder()));
  }

  private String from() {
    return " FROM parquet.`" + folder() + "`";
  }

  /** The files that a reader finds, without Hadoop's checksums. */
  private List<String> files() throws IOException {
    return Fixtures.digests(folder()).keySet().stream().filter(f -> !f.endsWith(".crc")).toList();
  }

  @Test
  void aRunTellsWhatItDoesInATableOfRuns() throws IOException {
    String lake = "lake" + UUID.randomUUID().toString().replace("-", "");
    TestSpark.session().conf().set("spark.sql.catalog." + lake, MemoryCatalog.class.getName());
    String table = lake + ".models.runs";
    ConvertedModel converted = made(temp.resolve("my model"));
    LakeRuns.of(TestSpark.cluster(), TestSpark.stores(), TableName.of(table)).add(converted);

    assertEquals(1, runs().add(converted));

    assertEquals(List.of("model=my model/reweave-" + converted.run() + ".parquet"), files());
    String columns =
        Arrays.stream(RunColumn.values()).map(RunColumn::column).collect(Collectors.joining(", "));
    assertEquals(rows("SELECT " + columns + " FROM " + table), rows("SELECT " + columns + from()));
    assertEquals(
        List.of("my model bfloat16 " + converted.manifest().result().tensors() + " true"),
        rows("SELECT model, options['dtype'], tensors, started > DATE '2020-01-01'" + from()));
  }

  @Test
  void aRunIsListedOnceAndBesideOthersOfTheModel() throws IOException {
    Path output = temp.resolve("a/model");
    assertEquals(1, runs().add(made(output)));
    List<String> before = files();

    assertEquals(0, runs().add(made(output)), "up to date");
    assertEquals(before, files());
    assertEquals(1, runs().add(made(temp.resolve("b/model"))), "the same bytes elsewhere");
    assertEquals(
        1,
        runs().add(made(Converting.between(CHECKPOINT, output).overwriting(), output)),
        "other bytes at the same place");

    assertEquals(
        List.of("model 3 2 2"),
        rows(
            "SELECT model, count(DISTINCT run), count(DISTINCT fingerprint), count(DISTINCT output)"
                + from()
                + " GROUP BY model"));
    assertEquals(3, files().size());
  }

  /** As the manual has it. */
  @Test
  void tensorsAreJoinedByTheirFile() {
    Path catalog = temp.resolve("catalog");
    TensorCatalog tensors =
        new TensorCatalog(TestSpark.cluster(), TestSpark.stores(), Locations.of(catalog));
    Path output = temp.resolve("model");
    for (Converting what :
        List.of(
            Converting.between(CHECKPOINT, output),
            Converting.between(CHECKPOINT, output).type("bfloat16").overwriting())) {
      ConvertedModel converted = made(what, output);
      tensors.add(converted);
      runs().add(converted);
    }

    List<String> joined =
        rows(
            "SELECT r.options['dtype'], t.dtype, count(*) = first(r.tensors) FROM parquet.`"
                + catalog
                + "` t JOIN parquet.`"
                + folder()
                + "` r ON t.model = r.model AND t._metadata.file_name = concat('reweave-',"
                + " r.fingerprint, '.parquet') WHERE t.dtype LIKE '%float%' AND t.elements > 1"
                + " GROUP BY 1, 2 ORDER BY 1");

    assertEquals(2, joined.size(), joined::toString);
    assertTrue(joined.get(0).startsWith("bfloat16 bfloat16 "), joined::toString);
    assertTrue(joined.get(1).startsWith("float32 float32 "), joined::toString);
  }

  @Test
  void whatAKilledRunLeftIsPassedOver() throws IOException {
    runs().add(made(temp.resolve("out")));
    Path left = Files.createDirectories(folder().resolve("_reweave-left"));
    Files.copy(folder().resolve(files().get(0)), left.resolve("part-00000.parquet"));

    assertEquals(List.of("1"), rows("SELECT count(*)" + from()));
  }

  /** The published model stays, and the next run adds what this one could not. */
  @Test
  void aFailureIsSaidAndMadeUpFor() throws IOException {
    ConvertedModel converted = made(temp.resolve("out"));
    Files.writeString(folder(), "a file where a folder should be");
    var published = Fixtures.digests(temp.resolve("out"));

    ReweaveException thrown = assertThrows(ReweaveException.class, () -> runs().add(converted));

    assertTrue(
        thrown
            .getMessage()
            .startsWith("the model is published, but the run could not be added to the list ("),
        thrown::getMessage);
    assertTrue(thrown.getMessage().contains("run the same command again"), thrown::getMessage);
    assertEquals(published, Fixtures.digests(temp.resolve("out")));
    Files.delete(folder());
    assertEquals(1, runs().add(made(temp.resolve("out"))));
    assertEquals(List.of("out"), rows("SELECT model" + from()));
  }
}
