package dev.reweave.checkpoint.huggingface;

import static dev.reweave.checkpoint.huggingface.Readings.assertNote;
import static dev.reweave.checkpoint.huggingface.Readings.assertReads;
import static dev.reweave.checkpoint.huggingface.Readings.assertRefused;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.checkpoint.Checkpoint;
import dev.reweave.tensor.Shape;
import dev.reweave.testing.Converting;
import dev.reweave.testing.Fixtures;
import dev.reweave.testing.StoredTensors;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Slices that ranks saved in safetensors, as torch 2.15 wrote them. */
class SlicesTest {
  private static final String REPORT = "reports/03-hf-storage-writer-shards/";

  @TempDir Path temp;

  private Path copy(String set) throws IOException {
    return Fixtures.copy(Fixtures.resource(set), temp.resolve("set"));
  }

  private static Map<String, String> expected(String folder) throws IOException {
    return StoredTensors.of(Fixtures.resource(folder + "expected.safetensors"));
  }

  private static String file(int rank, int part, int parts) {
    return new SliceName(rank, part, parts).text();
  }

  /** One file of a rank, with a slice of one tensor. */
  private static void write(Path folder, int rank, String offsets, long... dims)
      throws IOException {
    Readings.write(
        folder.resolve(file(rank, 1, 1)),
        Map.of(
            "DCP_SHARDING_INFO",
            "{\"w\": {\"saved_offsets\": %s}}".formatted(offsets),
            "DCP_VERSION",
            "1.0"),
        rank,
        Map.of("w", Shape.of(dims)));
  }

  /** Rows, rows in several files, columns, a grid, replicas shared out, whole tensors, stages. */
  @ParameterizedTest
  @ValueSource(strings = {"uneven3", "cols", "grid", "hsdp", "ddp", "pp"})
  void wholeTensorsAgain(String set) throws IOException {
    Checkpoint checkpoint = assertReads(expected("slices/"), Fixtures.resource("slices/" + set));

    assertNote(checkpoint, "6 tensors put together from the slices that 4 ranks saved");
    assertEquals(
        // The last rank's columns are none, of each tensor.
        !set.equals("cols"),
        checkpoint.notes().stream().anyMatch(n -> n.contains("do not say how many ranks")));
    assertEquals(Map.of(), checkpoint.aliases());
    assertTrue(checkpoint.metadata().keySet().stream().noneMatch(k -> k.startsWith("DCP")));
  }

  @ParameterizedTest
  @ValueSource(strings = {"sharded", "both/sharded"})
  void theReport(String set) throws IOException {
    assertReads(expected(REPORT), Fixtures.resource(REPORT + set));
  }

  @Test
  void conversion() throws IOException {
    Path out = temp.resolve("out");
    Converting.between(Fixtures.resource(REPORT + "both/sharded"), out).type("keep").run();

    assertEquals(expected(REPORT), StoredTensors.of(out.resolve("model.safetensors")));
  }

  @Test
  void aFolderThatWasNotConsolidated() throws IOException {
    Fixtures.copy(Fixtures.resource(REPORT + "sharded"), temp.resolve("step-9/sharded"));

    assertReads(expected(REPORT), temp.resolve("step-9"));
  }

  @Test
  void whatIsConsolidatedIsTaken() throws IOException {
    Path step = Fixtures.copy(Fixtures.resource(REPORT + "both"), temp.resolve("step-9"));
    Map<String, String> whole =
        Readings.write(step.resolve("model.safetensors"), 1, "whole.weight");

    assertReads(whole, step);

    for (int rank = 1; rank <= 2; rank++) {
      String slices = file(rank, 1, 1);
      Files.copy(Fixtures.resource(REPORT + "sharded/" + slices), step.resolve(slices));
    }
    Checkpoint checkpoint = assertReads(whole, step);
    assertEquals(
        List.of(
            file(1, 1, 1)
                + " and 1 more, 5 tensors, not read: move its files to a folder of their own to"
                + " convert it"),
        Readings.left(checkpoint));
  }

  /** Each file that is missing is told, and with it the set is whole. */
  @ParameterizedTest
  @CsvSource({
    "reports/03-hf-storage-writer-shards/sharded, 1, 1, 1",
    "reports/03-hf-storage-writer-shards/both/sharded, 2, 2, 2",
    "slices/cols, 3, 1, 1",
    "slices/ddp, 2, 1, 1",
    "slices/uneven3, 4, 2, 3",
    "slices/uneven3, 1, 3, 3",
    "slices/pp, 2, 2, 3",
    "slices/pp, 1, 1, 3",
  })
  void aMissingFile(String set, int rank, int part, int parts) throws IOException {
    Path folder = copy(set);
    String name = file(rank, part, parts);
    Files.delete(folder.resolve(name));

    assertRefused(folder, "files of slices are missing", name, "copy them from the training run");

    Files.copy(Fixtures.resource(set).resolve(name), folder.resolve(name));
    Readings.read(folder);
  }

  /** It had a slice without elements alone: the ranks before it have all of the tensor. */
  @Test
  void aMissingFileOfNothing() throws IOException {
    Path folder = copy("slices/uneven3");
    Files.delete(folder.resolve(file(4, 1, 3)));

    assertReads(expected("slices/"), folder);
  }

  @Test
  void allMissingFilesAreTold() throws IOException {
    Path folder = copy("slices/uneven3");
    for (int rank = 1; rank <= 4; rank++) {
      Files.delete(folder.resolve(file(rank, 2, 3)));
    }
    Files.delete(folder.resolve(file(3, 3, 3)));

    assertRefused(folder, file(1, 2, 3), file(3, 3, 3));
  }

  /** A rank that had nothing to save, since others saved the same, leaves a gap in the numbers. */
  @Test
  void ranksThatSavedNothing() throws IOException {
    Path folder = copy("slices/hsdp_low");
    assertRefused(folder, file(2, 1, 1), "number the ranks in the names of the others");

    Files.move(folder.resolve(file(3, 1, 1)), folder.resolve(file(2, 1, 1)));

    assertReads(expected("slices/"), folder);
  }

  @Test
  void oneRankAlone() throws IOException {
    Path folder = copy(REPORT + "sharded");
    Files.delete(folder.resolve(file(2, 1, 1)));
    assertRefused(folder, "the slices of rank 1 alone", "take 'shard-00001-' off the names");

    Path whole = folder.resolve("model-00001-of-00001.safetensors");
    Files.move(folder.resolve(file(1, 1, 1)), whole);

    assertReads(StoredTensors.of(whole), folder);
    assertReads(StoredTensors.of(whole), whole);
  }

  @Test
  void oneFileIsAPart() throws IOException {
    Path folder = copy(REPORT + "sharded");

    String message =
        assertRefused(folder.resolve(file(2, 1, 1)), "the slices that one rank saved", "name the");

    assertTrue(message.endsWith("with the files of all ranks: file:" + folder), message);
    assertReads(expected(REPORT), folder);
  }

  @Test
  void underOtherNames() throws IOException {
    Path folder = copy(REPORT + "sharded");
    Path other = folder.resolve("rank1.safetensors");
    Files.move(folder.resolve(file(2, 1, 1)), other);
    assertRefused(other, "the file holds slices of tensors", "under the names that torch gave");

    Files.move(other, folder.resolve(file(2, 1, 1)));

    assertReads(expected(REPORT), folder);
  }

  @Test
  void slicesWithoutOffsets() throws IOException {
    Path folder = copy(REPORT + "sharded");
    Readings.write(folder.resolve(file(3, 1, 1)), 1, "3.weight");
    assertRefused(folder, "does not say where the slice of 3.weight begins", "another name");

    Path other = folder.resolve("other.safetensors");
    Files.move(folder.resolve(file(3, 1, 1)), other);

    assertReads(StoredTensors.of(other), other);
  }

  @Test
  void slicesOfTwoCheckpoints() throws IOException {
    Path folder = copy(REPORT + "sharded");
    for (int part = 1; part <= 2; part++) {
      Files.copy(
          Fixtures.resource(REPORT + "both/sharded/" + file(1, part, 2)),
          folder.resolve(file(1, part, 2)));
    }
    assertRefused(folder, "slices of several checkpoints", "count [1, 2] files of each rank");

    for (int part = 1; part <= 2; part++) {
      Files.delete(folder.resolve(file(1, part, 2)));
    }
    assertReads(expected(REPORT), folder);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "[1, 0] | 2 | 3 | do not make it up",
        "[3, 0] | 2 | 3 | do not make it up",
        "[2, 1] | 2 | 3 | do not make it up",
        "[2] | 2 | 3 | slices that are of no one tensor",
        "[9223372036854775807, 0] | 2 | 3 | do not make it up",
        "[2, 9223372036854775800] | 2 | 3 | do not make it up",
        "[-2, 0] | 2 | 3 | not a whole number",
        "7 | 2 | 3 | is not a list",
      })
  void slicesThatDoNotFit(String offsets, long rows, long columns, String problem)
      throws IOException {
    Path folder = temp.resolve("made");
    write(folder, 1, "[0, 0]", 2, 3);
    write(folder, 2, offsets, rows, columns);
    assertRefused(folder, problem, "from the training run");

    write(folder, 2, "[2, 0]", 2, 3);
    assertEquals(Shape.of(4, 3), Readings.read(folder).tensors().get(0).spec().shape());
  }

  @Test
  void replicasAreTold() throws IOException {
    Path folder = temp.resolve("made");
    write(folder, 1, "[0, 0]", 2, 3);
    write(folder, 2, "[2, 0]", 2, 3);
    write(folder, 3, "[2, 0]", 2, 3);

    Checkpoint checkpoint = Readings.read(folder);

    assertNote(checkpoint, "1 tensor with slices that several ranks saved: the first is taken");
    assertEquals(Shape.of(4, 3), checkpoint.tensors().get(0).spec().shape());
  }

  /** Where the last rank has less, there was none behind it. */
  @Test
  void anEndThatIsKnown() throws IOException {
    Path folder = temp.resolve("made");
    write(folder, 1, "[0, 0]", 2, 3);
    write(folder, 2, "[2, 0]", 1, 3);

    assertEquals(
        List.of("1 tensor put together from the slices that 2 ranks saved"),
        Readings.read(folder).notes());
  }

  @Test
  void aTensorWithoutElements() throws IOException {
    Path folder = temp.resolve("made");
    write(folder, 1, "[0, 0]", 0, 3);
    write(folder, 2, "[0, 0]", 0, 3);

    assertRefused(folder, "its 1 tensor has no elements");
  }
}
