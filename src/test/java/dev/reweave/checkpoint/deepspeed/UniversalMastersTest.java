package dev.reweave.checkpoint.deepspeed;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.checkpoint.Checkpoint;
import dev.reweave.checkpoint.ReadOptions;
import dev.reweave.checkpoint.reading.CheckpointReader;
import dev.reweave.common.ReweaveException;
import dev.reweave.storage.Stores;
import dev.reweave.storage.ThreadScanner;
import dev.reweave.tensor.NamedTensor;
import dev.reweave.testing.Fixtures;
import dev.reweave.testing.Locations;
import dev.reweave.testing.StoredTensors;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Folders of a universal checkpoint that hold no masters, as DeepSpeed 0.19.8 makes them. */
class UniversalMastersTest {
  private static final Stores STORES = new Stores(new Configuration());

  @TempDir Path temp;

  private Path step;

  @BeforeEach
  void copy() throws IOException {
    Path fixture = Fixtures.resource("deepspeed-0.19.8/uc-z2-buffers-tied/ckpt");
    step = Fixtures.copy(fixture, temp.resolve("in")).resolve("global_step2_universal");
  }

  private Checkpoint read() {
    return new CheckpointReader(STORES, new ThreadScanner(STORES))
        .read(Locations.of(temp.resolve("in")), ReadOptions.defaults());
  }

  private static void assertNote(Checkpoint checkpoint, String note) {
    assertTrue(checkpoint.notes().contains(note), checkpoint.notes().toString());
  }

  private void deleteMoments(String name) throws IOException {
    for (String file : List.of("exp_avg.pt", "exp_avg_sq.pt", "step.pt")) {
      Files.delete(step.resolve("zero").resolve(name).resolve(file));
    }
  }

  @Test
  void whatTheModelStatesHaveIsTakenFromThem() {
    Checkpoint checkpoint = read();

    assertEquals(Map.of("head.weight", "emb.weight"), checkpoint.aliases());
    assertNote(
        checkpoint,
        "7 folders without optimizer state are left to the model states, which have their types"
            + " and ties: head.weight, ints, layers.0.weight, mask, norm.bias, scale, zero");
    assertNote(checkpoint, "universal checkpoint: 6 parameters, each in a file of its own");
  }

  @Test
  void aTrainedParameterWithoutMasterHasTheModulesValues() throws IOException {
    String expected = StoredTensors.of(read()).get("norm.weight");
    deleteMoments("norm.weight");

    Checkpoint checkpoint = read();

    assertEquals(expected, StoredTensors.of(checkpoint).get("norm.weight"));
    assertNote(
        checkpoint,
        "1 trained parameters have no optimizer state, and so the module's values for masters:"
            + " norm.weight");
  }

  @Test
  void thatOfSeveralRanksIsRefused() throws IOException {
    deleteMoments("norm.weight");
    Files.copy(
        step.resolve("mp_rank_00_model_states.pt"), step.resolve("mp_rank_01_model_states.pt"));

    ReweaveException e = assertThrows(ReweaveException.class, this::read);

    assertEquals(
        "1 trained parameters have no optimizer state, and so only the first of 2 ranks' part in"
            + " the universal checkpoint: norm.weight",
        e.problem());
    assertEquals("convert the checkpoint that it was made from", e.remedy());
  }

  @Test
  void withoutModelStatesAllFoldersAreTakenAndTold() throws IOException {
    Files.delete(step.resolve("mp_rank_00_model_states.pt"));

    Checkpoint checkpoint = read();

    assertEquals(13, checkpoint.tensors().size());
    assertTrue(checkpoint.tensors().stream().map(NamedTensor::name).toList().contains("mask"));
    assertNote(
        checkpoint,
        "7 folders have no optimizer state: buffers, frozen parameters or second names of tied"
            + " ones, all as float32: head.weight, ints, layers.0.weight, mask, norm.bias, scale,"
            + " zero");
  }
}
