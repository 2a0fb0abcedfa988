package dev.reweave.sql;

import static dev.reweave.sql.Queries.plan;
import static dev.reweave.sql.Queries.rows;
import static dev.reweave.sql.Queries.sql;
import static dev.reweave.sql.Queries.view;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.common.ReweaveException;
import dev.reweave.testing.FaultyFileSystem;
import dev.reweave.testing.Fixtures;
import dev.reweave.testing.SyntheticCheckpoint;
import dev.reweave.testing.TestSpark;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What queries cost, what is left to Spark, and what is said when they cannot be answered. */
class TensorQueryTest {
  private static final String FAULTY = ", `fs.faulty.impl` 'dev.reweave.testing.FaultyFileSystem'";

  @TempDir Path temp;

  @AfterEach
  void heal() {
    FaultyFileSystem.heal();
  }

  private static long bytesOf(String query) {
    FaultyFileSystem.heal();
    assertFalse(rows(query).isEmpty());
    return FaultyFileSystem.bytesRead();
  }

  /** To the byte: a query about a safetensors file reads its header, and the tensors it needs. */
  @Test
  void readsTheHeaderAlone() throws IOException {
    Path file =
        new WeightSample()
            .floats("model.a", new float[200_000])
            .floats("model.b", new float[300_000])
            .floats("other", new float[400_000])
            .write(temp.resolve("model.safetensors"));
    view("t", "faulty:" + file, FAULTY);
    long header = WeightSample.header(file).dataStart();

    assertEquals(
        header,
        bytesOf(
            "SELECT model, tag, name, dtype, shape, elements, bytes, shard, offset_start,"
                + " offset_end FROM t"));
    assertEquals(header, bytesOf("SELECT count(*) FROM t"));
    assertEquals(header, bytesOf("SELECT name FROM t WHERE elements > 250000 ORDER BY bytes"));
    assertEquals(header + 800_000, bytesOf("SELECT crc32c FROM t WHERE name = 'model.a'"));
    assertEquals(
        header + 2_000_000,
        bytesOf("SELECT min(min), sum(nan_count) FROM t WHERE name LIKE 'model.%'"));
    assertEquals(header + 1_600_000, bytesOf("SELECT std FROM t WHERE bytes > 1200000"));
    assertEquals(header + 3_600_000, bytesOf("SELECT * FROM t"));
  }

  /** Each column of statistics alone is a reason to read, and no other. */
  @ParameterizedTest
  @ValueSource(
      strings = {"crc32c", "min", "max", "mean", "std", "nan_count", "inf_count", "zero_share"})
  void everyStatisticReadsTheWeightsOnce(String column) throws IOException {
    Path file =
        new WeightSample().floats("a", new float[50_000]).write(temp.resolve("m.safetensors"));
    view("t", "faulty:" + file, FAULTY);
    assertEquals(
        WeightSample.header(file).dataStart() + 200_000, bytesOf("SELECT " + column + " FROM t"));
    String condition = "SELECT name FROM t WHERE " + column + " IS NOT NULL";
    assertTrue(plan(condition).contains("reads") && bytesOf(condition) > 0);
  }

  @Test
  void aCheckpointOfManyFilesIsListedWithoutItsWeights() throws IOException {
    SyntheticCheckpoint checkpoint =
        SyntheticCheckpoint.write(temp, 3, 4, SyntheticCheckpoint.llama(40_000_000), 9);
    view("t", "faulty:" + temp, FAULTY);
    long weights = checkpoint.params().stream().mapToLong(p -> p.bytes()).sum();

    long listed = bytesOf("SELECT name, shape, bytes FROM t");
    long read = bytesOf("SELECT name, std FROM t");

    // Of each of the 8 files its end, where the directory is, and its pickle.
    assertTrue(listed < 8 * (320 << 10), "listed: " + listed);
    assertTrue(read >= weights && read <= weights + listed + (1 << 20), "read: " + read);
    assertEquals(List.of(String.valueOf(weights)), rows("SELECT sum(bytes) FROM t"));
  }

  /** The rows are those that Spark gives from a plain table, and no filter is left to it. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "name = 'layers.1.weight'",
        "name <=> 'layers.1.weight'",
        "name IN ('layers.1.weight', 'norms.2.bias', 'missing')",
        "name LIKE 'norms.%'",
        "name LIKE '%.bias'",
        "name LIKE '%s.1.%'",
        "name NOT LIKE '%.bias'",
        "name NOT IN ('layers.1.weight')",
        "name LIKE 'norms.%' OR name LIKE '%.weight'",
        "NOT (name LIKE 'norms.%' OR elements > 100)",
        "elements < 14",
        "bytes >= 28 AND bytes <= 364",
        "dtype = 'float32'",
        "model = 'nothing'",
      })
  void filtersOnMetadataAreTakenOver(String condition) {
    assertAnswers(condition);
    String plan = plan("SELECT name FROM t WHERE " + condition);
    assertFalse(plan.contains("Filter ("), plan);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "name RLIKE 's.[12].w'",
        "name LIKE 'l%2%t'",
        "name IN ('layers.1.weight', NULL)",
        "name NOT IN ('layers.1.weight', NULL)",
        "length(name) > 13",
        "shape[0] = 13",
        "tag IS NULL",
        "offset_start > 100 AND name LIKE '%.bias'",
        "mean > 0",
        "mean > 0 OR name = 'layers.1.weight'",
        "name > 'layers.2'",
        "elements IN (SELECT max(elements) FROM t)",
      })
  void otherFiltersAreSparks(String condition) {
    assertAnswers(condition);
  }

  private static void assertAnswers(String condition) {
    Path file = Fixtures.folder("z2_bf16_w2/expected.safetensors");
    view("t", file, "");
    var all = sql("SELECT * FROM t").collectAsList();
    TestSpark.session().createDataFrame(all, TensorColumn.schema()).createOrReplaceTempView("copy");
    String select = "SELECT name, mean FROM t WHERE " + condition + " ORDER BY name";
    List<String> expected = rows(select.replace("FROM t", "FROM copy"));
    assertEquals(expected, rows(select));
    assertTrue(expected.size() < all.size() || condition.matches("(tag|dtype).*"), condition);
  }

  @Test
  void thePlanTellsWhatIsRead() {
    view("t", Fixtures.folder("z2_bf16_w2/ckpt"), "");
    String listing = plan("SELECT name, bytes FROM t WHERE name LIKE 'norms%'");
    assertTrue(listing.contains("columns [name, bytes]"), listing);
    assertTrue(listing.contains("StringStartsWith(name,norms)"), listing);
    assertTrue(listing.contains("reads metadata alone"), listing);
    assertTrue(plan("SELECT max FROM t").contains("reads weights"));
  }

  @Test
  void aCatalogNamesCheckpointsByAddress() {
    TestSpark.session().conf().set("spark.sql.catalog.reweave", AddressCatalog.class.getName());
    String address = Fixtures.folder("z2_bf16_w2/ckpt").toUri().toString();
    view("t", address, "");
    assertEquals(
        rows("SELECT name, crc32c FROM t"),
        rows("SELECT name, crc32c FROM reweave.`" + address + "`"));
    Path expected = Fixtures.folder("z2_bf16_w2/expected.safetensors");
    assertEquals(
        List.of("0"),
        rows(
            "SELECT count(*) FROM reweave.`"
                + address
                + "` a FULL JOIN reweave.`"
                + expected
                + "` b USING (name) WHERE NOT a.crc32c <=> b.crc32c"));
  }

  /** A query is a step of somebody else's program, whose jobs keep the name that it gave them. */
  @Test
  void theProgramsDescriptionOfItsJobsStays() {
    TestSpark.context().setJobDescription("the program's");
    try {
      view("t", Fixtures.folder("z2_bf16_w2/ckpt"), "");
      assertEquals(List.of("12"), rows("SELECT count(*) FROM t"));
      assertEquals("the program's", TestSpark.context().getLocalProperty("spark.job.description"));
    } finally {
      TestSpark.context().setJobDescription(null);
    }
  }

  @Test
  void aTableSeesWhatHasChanged() throws IOException {
    Path file = temp.resolve("model.safetensors");
    new WeightSample().floats("a", 1).write(file);
    view("t", file, "");
    assertEquals(List.of("a 1.0"), rows("SELECT name, max FROM t"));
    new WeightSample().floats("b", 2, 3).write(file);
    assertEquals(List.of("b 3.0"), rows("SELECT name, max FROM t"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "path '/no/such/place' | no such file or folder: file:/no/such/place",
        "path 'FIXTURE', weights 'all' | there are no weights 'all' in this file: ",
        "path 'FIXTURE', tag 'global_step9' | global_step9",
        "path 'FIXTURE', mapping 'nonsense' | no mapping of this name comes along",
        "path 'FIXTURE', maxMetadataBytes '100' | bytes, and --max-metadata-bytes allows 100: ",
        "path 'FIXTURE', maxMetadataBytes 'x' | option maxMetadataBytes = x; a number of bytes",
        "path 'FIXTURE', followLinks 'yes' | neither true nor false: option followLinks = yes",
        "tag 'x' | no address is given: format reweave; name a checkpoint: load(URI)",
        "paths '[1' | not a JSON array of addresses: option paths",
        "paths '[\"a\", \"b\"]', model 'm' | one name for several models: option model",
      })
  void whatCannotBeAnsweredIsSaid(String options, String message) {
    String fixture = Fixtures.folder("z2_bf16_w2/ckpt").toString();
    String create =
        "CREATE OR REPLACE TEMPORARY VIEW broken USING reweave OPTIONS ("
            + options.replace("FIXTURE", fixture)
            + ")";
    ReweaveException thrown =
        assertThrows(
            ReweaveException.class,
            () -> {
              var created = sql(create);
              assertEquals(0, created.count());
              var unused = rows("SELECT name FROM broken");
            });
    assertTrue(thrown.getMessage().contains(message), thrown::getMessage);
  }

  @Test
  void linksOutOfACheckpointAreFollowedOnRequest() throws IOException {
    Path model = Files.createDirectories(temp.resolve("model"));
    Path elsewhere =
        new WeightSample().floats("a", 1, 4).write(temp.resolve("elsewhere.safetensors"));
    Files.createSymbolicLink(model.resolve("model.safetensors"), elsewhere);

    view("t", model, "");
    ReweaveException refused =
        assertThrows(ReweaveException.class, () -> rows("SELECT name FROM t"));
    view("t", model, ", followLinks 'true'");

    assertEquals(List.of("a 4.0"), rows("SELECT name, max FROM t"));
    assertTrue(
        refused
            .getMessage()
            .startsWith("a symbolic link leads out of the folder that is read, to "),
        refused::getMessage);
  }

  @Test
  void anUnreadableWeightIsSaid() throws IOException {
    Path file =
        new WeightSample().floats("a", new float[50_000]).write(temp.resolve("m.safetensors"));
    view("t", "faulty:" + file, FAULTY);
    var query = sql("SELECT max FROM t");
    long unused = bytesOf("SELECT name FROM t");
    long reads = FaultyFileSystem.calls(FaultyFileSystem.Call.READ);
    FaultyFileSystem.heal();
    FaultyFileSystem.fail(FaultyFileSystem.Call.READ, reads + 1);
    Exception thrown = assertThrows(Exception.class, query::collectAsList);
    assertTrue(
        chain(thrown).contains("cannot read (injected failure of READ): faulty:"),
        () -> chain(thrown));
  }

  private static String chain(Throwable thrown) {
    StringBuilder text = new StringBuilder();
    for (Throwable t = thrown; t != null; t = t.getCause()) {
      text.append(t).append('\n');
    }
    return text.toString();
  }
}
