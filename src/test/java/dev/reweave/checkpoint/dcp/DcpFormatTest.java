package dev.reweave.checkpoint.dcp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.checkpoint.Checkpoint;
import dev.reweave.checkpoint.NotTaken;
import dev.reweave.checkpoint.ReadOptions;
import dev.reweave.checkpoint.reading.CheckpointReader;
import dev.reweave.common.ReweaveException;
import dev.reweave.storage.ThreadScanner;
import dev.reweave.testing.Fixtures;
import dev.reweave.testing.Locations;
import dev.reweave.testing.TestSpark;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Folders of distributed checkpoints that are not whole, and their files by themselves. */
class DcpFormatTest {
  @TempDir Path temp;
  private Path step;

  @BeforeEach
  void step() throws IOException {
    step = temp.resolve("step-2");
    Fixtures.copy(Fixtures.folder("dcp_plain/ckpt"), step);
  }

  private static Checkpoint read(Path address) {
    return new CheckpointReader(TestSpark.stores(), new ThreadScanner(TestSpark.stores()))
        .read(Locations.of(address), ReadOptions.defaults());
  }

  private static String refused(Path address) {
    return assertThrows(ReweaveException.class, () -> read(address)).getMessage();
  }

  @ParameterizedTest
  @ValueSource(strings = {".metadata", "__0_0.distcp"})
  void oneFileIsAPart(String name) {
    String message = refused(step.resolve(name));

    assertTrue(message.startsWith("this file is not a whole model, but "), message);
    assertTrue(message.contains("name the folder with all of its files: "), message);
    assertTrue(message.endsWith("step-2"), message);
  }

  @Test
  void chunksThatNothingDescribes() throws IOException {
    Files.delete(step.resolve(".metadata"));

    String message = refused(step);

    assertTrue(
        message.startsWith("a distributed checkpoint without .metadata, which is "), message);
    assertTrue(refused(temp).contains("name the folder in it that is meant, such as "));
  }

  @Test
  void aStepThatWasNotFinishedIsTold() throws IOException {
    Fixtures.copy(step, temp.resolve("step-3"));
    Files.delete(temp.resolve("step-3/.metadata"));

    Checkpoint checkpoint = read(temp);

    assertEquals("step-2", checkpoint.source().tag());
    assertTrue(
        checkpoint.notes().contains("passed over 'step-3', which has no .metadata: not finished"),
        checkpoint.notes().toString());
  }

  @Test
  void aFileThatNothingNamesIsTold() throws IOException {
    Files.copy(step.resolve("__0_0.distcp"), step.resolve("__7_0.distcp"));

    assertEquals(
        1,
        read(step).notTaken().stream()
            .map(NotTaken::text)
            .filter(t -> t.equals("__7_0.distcp, not read: .metadata names nothing in it"))
            .count());
  }
}
