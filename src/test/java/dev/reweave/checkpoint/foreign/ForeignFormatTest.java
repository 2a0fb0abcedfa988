package dev.reweave.checkpoint.foreign;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.checkpoint.Checkpoint;
import dev.reweave.checkpoint.NotTaken;
import dev.reweave.checkpoint.ReadOptions;
import dev.reweave.checkpoint.reading.CheckpointReader;
import dev.reweave.common.ReweaveException;
import dev.reweave.storage.ThreadScanner;
import dev.reweave.tensor.Shape;
import dev.reweave.testing.Locations;
import dev.reweave.testing.SafetensorsFile;
import dev.reweave.testing.TestSpark;
import dev.reweave.testing.WeightsFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Weights of other frameworks, as folders of models have them beside those that are read. */
class ForeignFormatTest {
  @TempDir Path folder;

  private void write(String name) throws IOException {
    Files.writeString(folder.resolve(name), "not read");
  }

  private Checkpoint read() {
    return new CheckpointReader(TestSpark.stores(), new ThreadScanner(TestSpark.stores()))
        .read(Locations.of(folder), ReadOptions.defaults());
  }

  @Test
  void theyAreToldBesideAModel() throws IOException {
    new SafetensorsFile().with("a", Shape.of(2), 1, 2).write(folder.resolve("model.safetensors"));
    write("tf_model.h5");
    write("q4.gguf");
    write("q8.gguf");

    Checkpoint model = read();

    assertEquals(List.of("a"), model.names());
    assertEquals(
        List.of(
            "q4.gguf and 1 more, not read, and cannot be: weights of llama.cpp, which are not read",
            "tf_model.h5, not read, and cannot be: weights of Keras, which are not read"),
        model.notTaken().stream().map(NotTaken::text).toList());
  }

  @Test
  void anyOtherModelIsTakenBeforeThem() throws IOException {
    new WeightsFile().floats("a", Shape.of(2), i -> i).write(folder.resolve("best.pt"));
    write("best.onnx");

    assertEquals(List.of("a"), read().names());
  }

  @Test
  void aloneTheyAreNamed() throws IOException {
    write("flax_model.msgpack");

    ReweaveException e = assertThrows(ReweaveException.class, this::read);

    assertEquals("weights of Flax, which are not read", e.problem());
    assertTrue(e.remedy().startsWith("save them as safetensors"), e.remedy());
  }
}
