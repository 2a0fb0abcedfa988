package dev.reweave.convert;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.common.ReweaveException;
import dev.reweave.look.compare.Verification;
import dev.reweave.manifest.Manifest;
import dev.reweave.plan.FileNames;
import dev.reweave.plan.Measuring;
import dev.reweave.storage.Stores;
import dev.reweave.testing.Converting;
import dev.reweave.testing.FaultyFileSystem;
import dev.reweave.testing.FaultyFileSystem.Call;
import dev.reweave.testing.Fixtures;
import dev.reweave.testing.Locations;
import dev.reweave.testing.TestSpark;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What goes wrong with the report costs no model, and leaves no half of a report. */
class ReportFaultTest {
  private static final byte[] REPORT = "<html>".repeat(1000).getBytes(StandardCharsets.UTF_8);

  @TempDir Path temp;
  private final Stores stores = stores();

  private static Stores stores() {
    Configuration conf = new Configuration(TestSpark.context().hadoopConfiguration());
    FaultyFileSystem.configure(conf);
    return new Stores(conf);
  }

  @AfterEach
  void heal() {
    FaultyFileSystem.heal();
  }

  private Path output() {
    return temp.resolve("out");
  }

  private Conversion.Outcome convert(ReportMaker reports) {
    ConversionRequest request =
        Converting.between("faulty:" + Fixtures.folder("z2_bf16_w2/ckpt"), "faulty:" + output())
            .in(stores)
            .request();
    return new Conversion(TestSpark.cluster(), stores).run(request, Measuring.VALUES, reports);
  }

  private void assertModelAlone() throws IOException {
    assertEquals(
        new TreeSet<>(Set.of("model.safetensors", Manifest.FILE_NAME)),
        new TreeSet<>(Fixtures.digests(output()).keySet()));
    assertEquals(
        List.of(),
        new Verification(TestSpark.cluster(), stores)
            .run(Locations.of("faulty:" + output()))
            .problems());
  }

  /** The store refuses the next call of a kind when the report is handed over. */
  @ParameterizedTest
  @EnumSource(names = {"CREATE", "RENAME"})
  void aStoreThatDoesNotTakeIt(Call call) throws IOException {
    ReweaveException failure =
        assertThrows(
            ReweaveException.class,
            () ->
                convert(
                    (outcome, place) -> {
                      FaultyFileSystem.heal();
                      FaultyFileSystem.fail(call, 1);
                      return Optional.of(REPORT);
                    }));

    assertTrue(failure.getMessage().contains(FileNames.REPORT), failure::getMessage);
    FaultyFileSystem.heal();
    assertFalse(Files.exists(output().resolve(FileNames.REPORT)));
    Conversion.Outcome again = convert((outcome, place) -> Optional.of(REPORT));
    assertEquals(Conversion.Outcome.Kind.UP_TO_DATE, again.kind());
    assertModelAlone();
  }

  @Test
  void aReportThatCannotBeMade() throws IOException {
    IllegalStateException failure =
        assertThrows(
            IllegalStateException.class,
            () ->
                convert(
                    (outcome, place) -> {
                      throw new IllegalStateException("no page");
                    }));

    assertEquals("no page", failure.getMessage());
    assertEquals(
        Conversion.Outcome.Kind.UP_TO_DATE,
        convert((outcome, place) -> Optional.of(REPORT)).kind());
    assertModelAlone();
  }

  @Test
  void aStoreThatTakesIt() throws IOException {
    var unused = convert((outcome, place) -> Optional.of(REPORT));

    assertTrue(Arrays.equals(REPORT, Files.readAllBytes(output().resolve(FileNames.REPORT))));
    assertFalse(Files.exists(output().resolve(".reweave")));
  }
}
