package dev.reweave.checkpoint;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.checkpoint.reading.CheckpointReader;
import dev.reweave.common.ReweaveException;
import dev.reweave.look.report.Inspection;
import dev.reweave.storage.ThreadScanner;
import dev.reweave.tensor.DType;
import dev.reweave.tensor.Shape;
import dev.reweave.testing.Locations;
import dev.reweave.testing.PickleWriter;
import dev.reweave.testing.SafetensorsFile;
import dev.reweave.testing.StorageContent;
import dev.reweave.testing.TensorValue;
import dev.reweave.testing.TestSpark;
import dev.reweave.testing.TorchZipWriter;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** State dicts with keys that are no names, or names that would drive a terminal. */
class HostileNamesTest {
  @TempDir Path temp;

  private Checkpoint read(Path file) {
    return new CheckpointReader(TestSpark.stores(), new ThreadScanner(TestSpark.stores()))
        .read(Locations.of(file), ReadOptions.defaults());
  }

  /** Saves a state dict with these keys, each with the same number in a storage of its own. */
  private Path save(Object... keys) throws IOException {
    Object[] dict = new Object[2 * keys.length];
    StorageContent[] storages = new StorageContent[keys.length];
    for (int i = 0; i < keys.length; i++) {
      dict[2 * i] = keys[i];
      dict[2 * i + 1] = new TensorValue("" + i, "FloatStorage", 1, 0, Shape.of(1), List.of(1L));
      storages[i] = StorageContent.of(DType.F32, new byte[4]);
    }
    Path file = temp.resolve("model.pt");
    TorchZipWriter.write(file, PickleWriter.dict(dict), List.of(storages));
    return file;
  }

  private void assertRefused(String problem, Path file) {
    ReweaveException e = assertThrows(ReweaveException.class, () -> read(file));
    assertEquals(problem, e.problem());
    assertEquals("file:" + file, e.place());
  }

  @Test
  void aTextAndANumberAreOneName() throws IOException {
    assertRefused("two tensors are called '1'", save("1", 1));
    assertRefused("two tensors are called 'True'", save(true, "True"));
  }

  @Test
  void emptyLongAndEqualNames() throws IOException {
    assertRefused("a tensor has an empty name", save("a", ""));
    assertRefused(
        "the name '" + "n".repeat(200) + "…' has 65536 bytes, more than 4096",
        save("n".repeat(65536)));
    assertRefused(
        "the names '\\u00e9' and 'e\\u0301' are the same text in two spellings of Unicode",
        save("\u00e9", "e\u0301"));
    assertEquals(List.of("a", "A"), read(save("a", "A")).names());
  }

  @Test
  void safetensorsAreHeldToTheSame() throws IOException {
    Path file =
        new SafetensorsFile().with("", Shape.of(1), 1f).write(temp.resolve("model.safetensors"));
    assertRefused("a tensor has an empty name", file);
  }

  @Test
  void anEmptyTensorMayHaveAnyShape() throws IOException {
    Path file =
        new SafetensorsFile()
            .with("w", DType.F32, Shape.of(0, 1L << 62, 4), new byte[0])
            .with("x", Shape.of(1), 1f)
            .write(temp.resolve("model.safetensors"));
    assertEquals(Shape.of(0, 1L << 62, 4), shape("w", read(file)));
  }

  private static Shape shape(String name, Checkpoint checkpoint) {
    return checkpoint.tensors().stream()
        .filter(t -> t.name().equals(name))
        .findFirst()
        .orElseThrow()
        .spec()
        .shape();
  }

  @Test
  void tablesShowNoControlCharacters() throws IOException {
    String name = "w\u001b[2J\nwrote  everything";
    Path file = save(name);
    Checkpoint checkpoint = read(file);
    assertEquals(List.of(name), checkpoint.names());
    List<String> lines = Inspection.of(file.toString(), checkpoint).lines();
    assertTrue(
        lines.stream().anyMatch(line -> line.startsWith("w\\u001b[2J\\nwrote  everything  ")),
        lines.toString());
    assertTrue(lines.stream().noneMatch(line -> line.matches("(?s).*\\p{Cntrl}.*")));
  }
}
