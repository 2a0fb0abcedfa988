package dev.reweave.sql;

import static dev.reweave.sql.Queries.rows;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.common.ReweaveException;
import dev.reweave.convert.Conversion;
import dev.reweave.plan.Measuring;
import dev.reweave.testing.Converting;
import dev.reweave.testing.Fixtures;
import dev.reweave.testing.Locations;
import dev.reweave.testing.MemoryCatalog;
import dev.reweave.testing.MemoryTable;
import dev.reweave.testing.TestSpark;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;
import org.apache.spark.sql.connector.catalog.Column;
import org.apache.spark.sql.connector.catalog.TableCapability;
import org.apache.spark.sql.types.DataTypes;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What conversions leave in tables of a catalog, as SQL shows it. */
class LakeTableTest {
  private static final Path CHECKPOINT = Fixtures.folder("z3_bf16_w2_bn/ckpt");
  private static final String CONVERTED = "; nothing was converted";

  @TempDir Path temp;

  /** A catalog for each test. */
  private final String lake = "lake" + UUID.randomUUID().toString().replace("-", "");

  private final String tensors = lake + ".models.tensors";
  private final String runs = lake + ".models.runs";

  @BeforeEach
  void catalog() {
    set("", MemoryCatalog.class.getName());
  }

  private void set(String key, String value) {
    TestSpark.session().conf().set("spark.sql.catalog." + lake + key, value);
  }

  private Conversion.Outcome convert(Converting what) {
    return new Conversion(TestSpark.cluster(), TestSpark.stores())
        .run(what.request(), Measuring.TENSORS);
  }

  private LakeTensors tensors(String name) {
    return LakeTensors.of(TestSpark.cluster(), TestSpark.stores(), TableName.of(name));
  }

  private LakeRuns runs(String name) {
    return LakeRuns.of(TestSpark.cluster(), TestSpark.stores(), TableName.of(name));
  }

  private static ConvertedModel made(Conversion.Outcome outcome, Path output) {
    return Converted.of(outcome, Locations.of(output).uri());
  }

  private ConvertedModel made(Path output) {
    return made(convert(Converting.between(CHECKPOINT, output).type("bfloat16")), output);
  }

  private String refused(String name) {
    ReweaveException thrown = assertThrows(ReweaveException.class, () -> tensors(name));
    assertEquals(1, thrown.getMessage().lines().count(), thrown::getMessage);
    return thrown.getMessage();
  }

  @Test
  void theTensorsOfAConversionAreThoseOfTheFolderOfParquetFiles() {
    Path output = temp.resolve("my model");
    ConvertedModel converted = made(output);
    Path folder = temp.resolve("catalog");
    new TensorCatalog(TestSpark.cluster(), TestSpark.stores(), Locations.of(folder)).add(converted);

    long added = tensors(tensors).add(converted);

    assertEquals(converted.manifest().result().tensors(), added);
    assertEquals(1, MemoryCatalog.table(tensors).commitsMade());
    String columns = "model, tag, name, shape, bytes, shard, crc32c, std, nan_count, zero_share";
    assertEquals(
        rows("SELECT " + columns + " FROM parquet.`" + folder + "` ORDER BY name"),
        rows("SELECT " + columns + " FROM " + tensors + " ORDER BY name"));
    assertEquals(
        List.of("model", "run"),
        Arrays.stream(MemoryCatalog.table(tensors).partitioning())
            .map(p -> p.references()[0].describe())
            .toList());
  }

  @Test
  void aRunIsListedOnceAndBesideOthersOfTheModel() {
    Path output = temp.resolve("a/model");
    ConvertedModel first = made(output);
    int count = first.manifest().result().tensors();
    LakeTensors table = tensors(tensors);
    LakeRuns list = runs(runs);
    assertEquals(count, table.add(first));
    assertEquals(1, list.add(first));

    Conversion.Outcome again = convert(Converting.between(CHECKPOINT, output).type("bfloat16"));
    assertEquals(Conversion.Outcome.Kind.UP_TO_DATE, again.kind());
    assertEquals(0, tensors(tensors).add(made(again, output)));
    assertEquals(0, runs(runs).add(made(again, output)));
    ConvertedModel sameElsewhere = made(temp.resolve("b/model"));
    Conversion.Outcome changed = convert(Converting.between(CHECKPOINT, output).overwriting());
    for (ConvertedModel other : List.of(sameElsewhere, made(changed, output))) {
      assertEquals(count, table.add(other));
      assertEquals(1, list.add(other));
    }

    assertEquals(
        List.of("model 3 " + 3 * count),
        rows(
            "SELECT model, count(DISTINCT run), count(*) FROM "
                + tensors
                + " JOIN "
                + runs
                + " USING (model, run) GROUP BY model"));
    assertEquals(List.of("2 3"), rows("SELECT count(DISTINCT fingerprint), count(*) FROM " + runs));
    assertEquals(3, MemoryCatalog.table(tensors).commitsMade());
  }

  @Test
  void aRunTellsWhatItsManifestTells() {
    ConvertedModel converted = made(temp.resolve("out"));

    runs(runs).add(converted);

    var manifest = converted.manifest();
    long bytes =
        manifest.result().shards().stream().mapToLong(s -> s.bytes()).sum()
            + manifest.result().files().stream().mapToLong(f -> f.bytes()).sum();
    assertEquals(
        List.of(
            String.join(
                " ",
                "out",
                manifest.input().tag(),
                Locations.of(CHECKPOINT).uri(),
                Locations.of(temp.resolve("out")).uri(),
                manifest.reweave(),
                manifest.spark(),
                "bfloat16",
                String.valueOf(manifest.result().tensors()),
                String.valueOf(bytes),
                String.valueOf(manifest.seconds()),
                String.valueOf(manifest.figures().storagesChecked()),
                "0",
                "true",
                "true")),
        rows(
            "SELECT model, tag, input, output, reweave, spark, options['dtype'], tensors, bytes,"
                + " seconds, storages_checked, nan_count, started > TIMESTAMP '2020-01-01',"
                + " size(not_taken) > 0 FROM "
                + runs));
  }

  /** Two processes that add the same run at once: none sees the rows of the other before. */
  @Test
  void rowsOfTheSameRunAreReplaced() throws Exception {
    ConvertedModel converted = made(temp.resolve("out"));
    LakeTable table = new LakeTable(TestSpark.session(), TableName.of(runs), RunColumn.schema());
    LakeRuns list = runs(runs);

    table.add(
        converted,
        () -> {
          list.add(converted);
          return TestSpark.session().table(runs);
        });

    assertEquals(List.of("1"), rows("SELECT count(*) FROM " + runs));
    assertEquals(2, MemoryCatalog.table(runs).commitsMade());
  }

  @Test
  void rowsAreAddedWhereFilesAreNotReplacedInPart() {
    LakeTensors table = tensors(tensors);
    MemoryCatalog.table(tensors).let(MemoryTable.Commits.ADD_ALONE);
    ConvertedModel converted = made(temp.resolve("out"));

    assertEquals(converted.manifest().result().tensors(), table.add(converted));
    assertEquals(0, table.add(converted));
    assertEquals(1, MemoryCatalog.table(tensors).commitsMade());
  }

  /** The published model stays, and the next run adds what this one could not. */
  @Test
  void aFailureIsSaidAndMadeUpFor() throws Exception {
    Path output = temp.resolve("out");
    ConvertedModel converted = made(output);
    var published = Fixtures.digests(output);
    LakeTensors table = tensors(tensors);
    LakeRuns list = runs(runs);
    MemoryCatalog.table(tensors).let(MemoryTable.Commits.FAIL);
    MemoryCatalog.table(runs).let(MemoryTable.Commits.FAIL);

    String noTensors =
        assertThrows(ReweaveException.class, () -> table.add(converted)).getMessage();
    String noRun = assertThrows(ReweaveException.class, () -> list.add(converted)).getMessage();

    assertEquals(
        "the model is published, but its tensors could not be added to the catalog ("
            + "java.lang.IllegalStateException: the lake is closed): "
            + tensors
            + "; see to the catalog, then run the same command again: it adds them, and converts"
            + " nothing",
        noTensors);
    assertTrue(noRun.startsWith("the model is published, but the run could not be"), noRun);
    assertEquals(published, Fixtures.digests(output));
    MemoryCatalog.table(tensors).let(MemoryTable.Commits.SUCCEED);
    Conversion.Outcome again = convert(Converting.between(CHECKPOINT, output).type("bfloat16"));
    assertEquals(again.manifest().result().tensors(), table.add(made(again, output)));
  }

  @Test
  void catalogsThatAreNotThere() {
    assertTrue(
        refused("nolake.models.tensors")
            .startsWith(
                "this Spark has no catalog nolake: table nolake.models.tensors; set"
                    + " spark.sql.catalog.nolake to the class of the catalog, such as --conf"),
        refused("nolake.models.tensors"));
    assertTrue(
        refused("spark_catalog.default.tensors")
            .startsWith("tables of Spark's own catalog are not written in one commit: "));
    set("", "org.example.NoCatalog");
    String noClass = refused(tensors);
    assertTrue(
        noClass.contains("Cannot find catalog plugin class for catalog '" + lake + "'"), noClass);
    assertTrue(noClass.contains("the jars of the catalog: REWEAVE_JARS"), noClass);
  }

  @Test
  void tablesThatCannotBeMade() {
    set("." + MemoryCatalog.CLOSED, "closed");
    set("." + MemoryCatalog.ABSENT, "absent");

    String closed = refused(lake + ".closed.tensors");
    assertTrue(
        closed.startsWith(
            "the table is not there and cannot be made (java.lang.UnsupportedOperationException: user tests may make no table in closed): "
                + "table "
                + lake
                + ".closed.tensors; make its namespace, CREATE NAMESPACE "
                + lake
                + ".closed, or the table"),
        closed);
    assertTrue(closed.endsWith(CONVERTED), closed);
    String absent = refused(lake + ".absent.tensors");
    assertTrue(absent.contains("cannot be made ([SCHEMA_NOT_FOUND]"), absent);
    assertNull(MemoryCatalog.table(lake + ".absent.tensors"));
  }

  @Test
  void tablesOfOthers() {
    MemoryCatalog.put(
        tensors,
        new MemoryTable(
            tensors,
            new Column[] {
              Column.create("model", DataTypes.StringType),
              Column.create("std", DataTypes.FloatType)
            }));

    String other = refused(tensors);

    assertTrue(other.startsWith("the table has not the columns for these rows: table "), other);
    assertTrue(other.contains("tag is not there, should be string; "), other);
    assertTrue(other.contains("; std is float, should be double; "), other);
    assertTrue(other.endsWith(CONVERTED), other);
    assertEquals(0, MemoryCatalog.table(tensors).commitsMade());
  }

  private Column[] columns(Column... more) {
    return java.util.stream.Stream.concat(
            Arrays.stream(RunColumn.schema().fields())
                .map(f -> Column.create(f.name().toUpperCase(java.util.Locale.ROOT), f.dataType())),
            Arrays.stream(more))
        .toArray(Column[]::new);
  }

  @Test
  void moreColumnsOfATableGetNothing() {
    MemoryCatalog.put(
        runs, new MemoryTable(runs, columns(Column.create("note", DataTypes.StringType))));

    assertEquals(1, runs(runs).add(made(temp.resolve("out"))));

    assertEquals(List.of("out null"), rows("SELECT model, note FROM " + runs));
  }

  @Test
  void tablesThatCannotBeWritten() {
    MemoryCatalog.put(
        runs, new MemoryTable(runs, columns()).without(TableCapability.OVERWRITE_BY_FILTER));
    String noReplacing = assertThrows(ReweaveException.class, () -> runs(runs)).getMessage();
    assertTrue(
        noReplacing.startsWith("the table takes no rows in place of those of an earlier run ("),
        noReplacing);
    assertTrue(noReplacing.contains("does not support overwrite by filter"), noReplacing);
    assertTrue(noReplacing.endsWith(CONVERTED), noReplacing);

    MemoryCatalog.put(
        runs, new MemoryTable(runs, columns(Column.create("must", DataTypes.StringType, false))));
    String must = assertThrows(ReweaveException.class, () -> runs(runs)).getMessage();
    assertTrue(must.contains(", columns: must is NOT NULL, and nothing is known of it; "), must);
    assertEquals(0, MemoryCatalog.table(runs).commitsMade());
  }
}
