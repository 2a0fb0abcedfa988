package dev.reweave.sql;

import static dev.reweave.sql.Queries.rows;
import static dev.reweave.sql.Queries.view;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.common.ReweaveException;
import dev.reweave.convert.Conversion;
import dev.reweave.convert.ConversionRequest.ExistingOutput;
import dev.reweave.plan.Format;
import dev.reweave.plan.Measuring;
import dev.reweave.plan.PlanOptions;
import dev.reweave.storage.Stores;
import dev.reweave.testing.Converting;
import dev.reweave.testing.FaultyFileSystem;
import dev.reweave.testing.Fixtures;
import dev.reweave.testing.Locations;
import dev.reweave.testing.SyntheticCheckpoint;
import dev.reweave.testing.TestSpark;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What conversions leave in a catalog, as SQL shows it. */
class TensorCatalogTest {
  private static final Path CHECKPOINT = Fixtures.folder("z2_bf16_w2/ckpt");

  @TempDir Path temp;

  private Conversion.Outcome convert(Converting what) {
    return new Conversion(TestSpark.cluster(), TestSpark.stores())
        .run(what.request(), Measuring.TENSORS);
  }

  private long add(Conversion.Outcome outcome, Path output) {
    return new TensorCatalog(TestSpark.cluster(), TestSpark.stores(), Locations.of(catalog()))
        .add(Converted.of(outcome, Locations.of(output).uri()));
  }

  private Path catalog() {
    return temp.resolve("catalog");
  }

  private String count() {
    return rows("SELECT count(*) FROM parquet.`" + catalog() + "`").get(0);
  }

  /** The files that a reader finds, without Hadoop's checksums. */
  private List<String> files() throws IOException {
    return Fixtures.digests(catalog()).keySet().stream().filter(f -> !f.endsWith(".crc")).toList();
  }

  /** Rows that the catalog has and reading the result does not give, and the other way round. */
  private List<String> differences(Path weights) {
    view("result", weights, "");
    return rows(
        "SELECT c.name, r.name FROM (SELECT * FROM parquet.`"
            + catalog()
            + "`) c FULL JOIN result r ON c.name = r.name AND c.dtype = r.dtype AND c.shape ="
            + " r.shape AND c.elements = r.elements AND c.bytes = r.bytes AND c.shard = r.shard AND"
            + " c.offset_start = r.offset_start AND c.offset_end = r.offset_end AND c.crc32c ="
            + " r.crc32c AND c.min <=> r.min AND c.max <=> r.max AND c.nan_count = r.nan_count AND"
            + " c.inf_count = r.inf_count AND c.zero_share <=> r.zero_share AND (c.mean <=> r.mean"
            + " OR abs(c.mean - r.mean) < 1e-12 * r.std) AND (c.std <=> r.std OR abs(c.std - r.std)"
            + " < 1e-12 * r.std) WHERE c.name IS NULL OR r.name IS NULL");
  }

  @ParameterizedTest
  @ValueSource(strings = {"z2_bf16_w2", "z3_fp16_w3", "z2_bf16_w2_empty", "z3_bf16_w2_bn"})
  void aConversionsTensorsAreThoseOfItsResult(String fixture) throws IOException {
    Path output = temp.resolve("my model");
    Conversion.Outcome outcome =
        convert(
            Converting.between(Fixtures.folder(fixture + "/ckpt"), output)
                .planning(PlanOptions.DEFAULTS.withSizes(600, 64_000))
                .type("bfloat16"));

    long added = add(outcome, output);

    assertEquals(outcome.manifest().result().tensors(), added);
    assertEquals(String.valueOf(added), count());
    assertEquals(List.of(), differences(output));
    assertEquals(
        List.of("my model " + outcome.manifest().input().tag()),
        rows("SELECT DISTINCT model, tag FROM parquet.`" + catalog() + "`"));
    assertEquals(
        List.of("model=my model/reweave-" + outcome.manifest().fingerprint() + ".parquet"),
        files());
    view("result", output, "");
    assertEquals(
        rows("SELECT * FROM result LIMIT 0"),
        rows("SELECT * FROM parquet.`" + catalog() + "` LIMIT 0"));
  }

  @Test
  void modelsAreComparedInOneTable() {
    Path one = temp.resolve("one");
    Path other = temp.resolve("other");
    add(convert(Converting.between(CHECKPOINT, one)), one);
    add(convert(Converting.between(CHECKPOINT, other).type("bfloat16")), other);

    assertEquals(
        List.of("one float32 12", "other bfloat16 12"),
        rows(
            "SELECT model, dtype, count(*) FROM parquet.`"
                + catalog()
                + "` GROUP BY model, dtype ORDER BY model"));
  }

  @Test
  void aRepeatedConversionAddsNothing() throws IOException {
    Path output = temp.resolve("out");
    Converting conversion = Converting.between(CHECKPOINT, output);
    assertEquals(12, add(convert(conversion), output));
    List<String> before = List.of(Fixtures.digests(catalog()).toString());

    Conversion.Outcome again = convert(conversion);
    assertEquals(Conversion.Outcome.Kind.UP_TO_DATE, again.kind());
    assertEquals(0, add(again, output));
    Fixtures.digests(output)
        .keySet()
        .forEach(name -> assertTrue(output.resolve(name).toFile().delete()));
    Conversion.Outcome anew = convert(conversion.existing(ExistingOutput.REPLACE));
    assertEquals(Conversion.Outcome.Kind.CONVERTED, anew.kind());
    assertEquals(0, add(anew, output));

    assertEquals(before, List.of(Fixtures.digests(catalog()).toString()));
  }

  /** The published model stays, and the next run adds what this one could not. */
  @Test
  void aFailureIsSaidAndMadeUpFor() throws IOException {
    Path output = temp.resolve("out");
    Converting conversion = Converting.between(CHECKPOINT, output);
    Conversion.Outcome outcome = convert(conversion);
    Files.writeString(catalog(), "a file where a folder should be");
    var published = Fixtures.digests(output);

    ReweaveException thrown = assertThrows(ReweaveException.class, () -> add(outcome, output));

    assertTrue(
        thrown
            .getMessage()
            .startsWith(
                "the model is published, but its tensors could not be added to the catalog ("),
        thrown::getMessage);
    assertTrue(thrown.getMessage().contains("run the same command again"), thrown::getMessage);
    assertEquals(published, Fixtures.digests(output));
    Files.delete(catalog());
    Conversion.Outcome again = convert(conversion);
    assertEquals(Conversion.Outcome.Kind.UP_TO_DATE, again.kind());
    assertEquals(12, add(again, output));
    assertEquals(List.of(), differences(output));
    assertEquals(
        List.of("global_step3"), rows("SELECT DISTINCT tag FROM parquet.`" + catalog() + "`"));
    assertEquals(1, files().size());
  }

  @Test
  void whatAKilledRunLeftIsPassedOver() throws IOException {
    Path output = temp.resolve("out");
    add(convert(Converting.between(CHECKPOINT, output)), output);
    Path file = catalog().resolve(files().get(0));
    Path left = Files.createDirectories(catalog().resolve("_reweave-left"));
    Files.copy(file, left.resolve("part-00000.parquet"));

    assertEquals("12", count());
  }

  @Test
  void aResultAsTorchWouldSaveIt() {
    Path output = temp.resolve("out");
    PlanOptions torch = PlanOptions.DEFAULTS.with(PlanOptions.FORMAT, Format.BIN);
    add(convert(Converting.between(CHECKPOINT, output).planning(torch)), output);

    assertEquals(List.of(), differences(output));
    assertEquals(
        List.of("pytorch_model.bin 12"),
        rows("SELECT shard, count(*) FROM parquet.`" + catalog() + "` GROUP BY shard"));
  }

  @Test
  void theComponentOfAPipeline() {
    Path output = temp.resolve("pipeline");
    Conversion.Outcome outcome =
        convert(
            Converting.between(Fixtures.folder("cog_z2_bf16_w2/ckpt"), output)
                .base(Fixtures.folder("base_pipeline")));

    assertEquals(outcome.manifest().result().tensors(), add(outcome, output));
    assertEquals(List.of(), differences(output.resolve("transformer")));
  }

  /** Measuring takes no read, neither of the input nor of the result but for its header. */
  @Test
  void statisticsComeFromTheChunksThatAreWritten() throws IOException {
    var unused =
        SyntheticCheckpoint.write(
            temp.resolve("in"), 2, 2, SyntheticCheckpoint.llama(20_000_000), 3);
    Configuration conf = new Configuration(TestSpark.context().hadoopConfiguration());
    FaultyFileSystem.configure(conf);
    Stores stores = new Stores(conf);
    long[] read = new long[2];
    Conversion.Outcome[] outcomes = new Conversion.Outcome[2];
    for (Measuring measuring : List.of(Measuring.NOTHING, Measuring.TENSORS)) {
      int i = measuring == Measuring.TENSORS ? 1 : 0;
      FaultyFileSystem.heal();
      outcomes[i] =
          new Conversion(TestSpark.cluster(), stores)
              .run(
                  Converting.between("faulty:" + temp.resolve("in"), "faulty:" + temp + "/out" + i)
                      .in(stores)
                      .request(),
                  measuring);
      read[i] = FaultyFileSystem.bytesRead();
    }
    assertTrue(outcomes[0].digests().isEmpty());
    assertFalse(outcomes[1].digests().isEmpty());
    assertTrue(
        read[0] > 15_000_000 && Math.abs(read[1] - read[0]) < 10_000, read[0] + ", " + read[1]);

    FaultyFileSystem.heal();
    long added =
        new TensorCatalog(TestSpark.cluster(), stores, Locations.of(catalog()))
            .add(Converted.of(outcomes[1], "faulty:" + temp + "/out1"));

    assertEquals(outcomes[1].digests().size(), added);
    assertTrue(FaultyFileSystem.bytesRead() < 100_000, "read: " + FaultyFileSystem.bytesRead());
    FaultyFileSystem.heal();
    assertEquals(List.of(), differences(temp.resolve("out1")));
  }
}
