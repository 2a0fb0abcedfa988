package dev.reweave.checkpoint.huggingface;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.checkpoint.Checkpoint;
import dev.reweave.checkpoint.ReadOptions;
import dev.reweave.checkpoint.reading.CheckpointReader;
import dev.reweave.common.ReweaveException;
import dev.reweave.storage.Stores;
import dev.reweave.storage.ThreadScanner;
import dev.reweave.testing.Fixtures;
import dev.reweave.testing.Locations;
import dev.reweave.testing.StoredTensors;
import dev.reweave.testing.TestSpark;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A run of torchtitan's whose last step is a model, beside the slices that it was made of. */
class NumberedModelsTest {
  @TempDir Path run;
  private Map<String, String> model;

  @BeforeEach
  void write() throws IOException {
    Fixtures.copy(Fixtures.folder("dcp_plain/ckpt"), run.resolve("step-5"));
    Path step = run.resolve("step-10");
    model = Readings.write(step.resolve("model-00001-of-00001.safetensors"), 1, "a", "b");
    Files.writeString(
        step.resolve("model.safetensors.index.json"),
        "{\"weight_map\": {\"a\": \"model-00001-of-00001.safetensors\","
            + " \"b\": \"model-00001-of-00001.safetensors\"}}");
    for (int rank = 1; rank <= 2; rank++) {
      Readings.write(
          step.resolve("sharded").resolve(new SliceName(rank, 1, 1).text()), rank, "a", "b");
    }
  }

  private Checkpoint read(String tag) {
    Stores stores = TestSpark.stores();
    return new CheckpointReader(stores, new ThreadScanner(stores))
        .read(Locations.of(run), ReadOptions.defaults().withTag(tag));
  }

  @Test
  void theNewestStepIsAModel() throws IOException {
    Checkpoint checkpoint = Readings.read(run);

    assertEquals(model, StoredTensors.of(checkpoint));
    assertEquals("step-10", checkpoint.source().tag());
    // The steps before it are told, the model itself is not told again.
    assertEquals(List.of("step-5"), checkpoint.notTaken().stream().map(n -> n.name()).toList());
  }

  @Test
  void eachStepByItsTag() throws IOException {
    assertEquals(model, StoredTensors.of(read("step-10")));
    assertEquals("PyTorch distributed checkpoint", read("step-5").source().framework());
    String message = assertThrows(ReweaveException.class, () -> read("step-7")).getMessage();
    assertTrue(message.contains("there is no saved step 'step-7' here"), message);
  }

  /** Where training went on, the newest is no model. */
  @Test
  void aLaterStepThatIsNoModel() throws IOException {
    Fixtures.copy(Fixtures.folder("dcp_plain/ckpt"), run.resolve("step-15"));

    Checkpoint checkpoint = Readings.read(run);

    assertEquals("step-15", checkpoint.source().tag());
    assertEquals("PyTorch distributed checkpoint", checkpoint.source().framework());
  }
}
