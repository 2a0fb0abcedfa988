package dev.reweave.checkpoint.deepspeed;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.checkpoint.Caution;
import dev.reweave.checkpoint.Checkpoint;
import dev.reweave.checkpoint.ReadOptions;
import dev.reweave.checkpoint.reading.CheckpointReader;
import dev.reweave.common.ReweaveException;
import dev.reweave.storage.Stores;
import dev.reweave.storage.ThreadScanner;
import dev.reweave.testing.Fixtures;
import dev.reweave.testing.Locations;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Universal checkpoints whose converter was stopped, at each of its steps. */
class UniversalProgressTest {
  private static final Stores STORES = new Stores(new Configuration());
  private static final String MODEL = "mp_rank_00_model_states.pt";
  private static final String LOST = "layers.2.weight";

  @TempDir Path temp;

  private Path source;
  private Path universal;

  @BeforeEach
  void makeBoth() throws IOException {
    Path fixture = Fixtures.folder("uc_from_z2_bf16_w2").resolve("ckpt/global_step3_universal");
    universal =
        Fixtures.copy(
            fixture, Files.createDirectories(temp.resolve("in")).resolve("global_step3_universal"));
    source = temp.resolve("in/global_step3");
  }

  private static Checkpoint read(Path address) {
    return new CheckpointReader(STORES, new ThreadScanner(STORES))
        .read(Locations.of(address), ReadOptions.defaults());
  }

  private ReweaveException refused() {
    ReweaveException e = assertThrows(ReweaveException.class, () -> read(universal));
    assertTrue(e.problem().startsWith("the universal checkpoint is half made: "), e.getMessage());
    return e;
  }

  /** The pieces of one parameter, as the converter takes them from the partitions. */
  private void begin() throws IOException {
    Path rank = Files.createDirectories(universal.resolve("tmp").resolve(LOST).resolve("0"));
    Files.writeString(rank.resolve("fp32.00"), "");
  }

  /** Whole model states, and a file of the optimizer that nothing is read of here. */
  private void putSource() throws IOException {
    Files.createDirectories(source);
    Files.copy(universal.resolve(MODEL), source.resolve(MODEL));
  }

  @Test
  void stoppedWhileParametersWerePutTogether() throws IOException {
    begin();
    Files.delete(universal.resolve(MODEL));
    Fixtures.remove(universal.resolve("zero").resolve(LOST));

    ReweaveException e = refused();
    assertEquals(
        "the universal checkpoint is half made: there are pieces in tmp/, and no model states,"
            + " which are copied last",
        e.problem());
    assertEquals(
        "run ds_to_universal.py again, or convert the checkpoint that it was made from",
        e.remedy());

    putModelStates();
    assertTrue(refused().remedy().endsWith(": file:" + source), refused().remedy());
    assertEquals(12, read(source).names().size());
  }

  private void putModelStates() throws IOException {
    Path fixture = Fixtures.folder("uc_from_z2_bf16_w2").resolve("ckpt/global_step3_universal");
    Files.createDirectories(source);
    Files.copy(fixture.resolve(MODEL), source.resolve(MODEL));
  }

  @Test
  void stoppedBeforeAnyParameterWasPutTogether() throws IOException {
    begin();
    Files.delete(universal.resolve(MODEL));
    Fixtures.remove(universal.resolve("zero"));
    refused();

    Files.createDirectories(universal.resolve("zero").resolve(LOST));
    refused();
  }

  @Test
  void withoutPiecesAndModelStatesTheSourceTells() throws IOException {
    putSource();
    Files.delete(universal.resolve(MODEL));
    assertEquals(List.of(), read(universal).cautions());

    Fixtures.remove(universal.resolve("zero").resolve(LOST));
    assertTrue(refused().problem().endsWith("parameters have no folder: " + LOST));
  }

  @Test
  void withoutAnythingThatTellsItIsNotKnown() throws IOException {
    Files.delete(universal.resolve(MODEL));

    Checkpoint checkpoint = read(universal);
    assertEquals(
        List.of(Caution.Kind.MISSING_FILE),
        checkpoint.cautions().stream().map(Caution::kind).toList());
    assertEquals("missing-file", Caution.Kind.MISSING_FILE.toString());
  }

  @Test
  void piecesThatWereKeptDoNoHarm() throws IOException {
    Checkpoint before = read(universal);
    begin();

    assertEquals(before.names(), read(universal).names());
    Fixtures.remove(universal.resolve("zero").resolve(LOST));
    ReweaveException e = assertThrows(ReweaveException.class, () -> read(universal));
    assertTrue(e.problem().endsWith("have no folder: " + LOST), e.getMessage());
  }
}
