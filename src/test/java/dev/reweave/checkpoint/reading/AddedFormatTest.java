package dev.reweave.checkpoint.reading;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.checkpoint.Checkpoint;
import dev.reweave.checkpoint.CheckpointFormat;
import dev.reweave.checkpoint.NotTaken;
import dev.reweave.checkpoint.ReadOptions;
import dev.reweave.checkpoint.raw.RawFormat;
import dev.reweave.common.ReweaveException;
import dev.reweave.storage.ThreadScanner;
import dev.reweave.testing.Fixtures;
import dev.reweave.testing.Locations;
import dev.reweave.testing.TestSpark;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The format that the manual shows is one class and one entry in a list. */
class AddedFormatTest {
  private static final Path CODE =
      Path.of("src/test/java/dev/reweave/checkpoint/raw/RawFormat.java");

  @TempDir Path temp;
  private Path folder;

  @BeforeEach
  void write() throws IOException {
    folder = Files.createDirectory(temp.resolve("model"));
    Files.write(folder.resolve("head.weight.2x3.f32"), floats(0, 1, 2, 3, 4, 5));
    Files.write(folder.resolve("head.bias.2.f32"), floats(6, 7));
  }

  private static byte[] floats(float... values) {
    ByteBuffer bytes = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
    for (float value : values) {
      bytes.putFloat(value);
    }
    return bytes.array();
  }

  private static CheckpointReader reader() {
    List<CheckpointFormat> formats = new ArrayList<>(List.of(new RawFormat()));
    formats.addAll(CheckpointFormats.ALL);
    return new CheckpointReader(TestSpark.stores(), new ThreadScanner(TestSpark.stores()), formats);
  }

  private Checkpoint read() {
    return reader().read(Locations.of(folder), ReadOptions.defaults());
  }

  @Test
  void itsTensorsAreRead() throws IOException {
    Checkpoint checkpoint = read();

    assertEquals("raw floats", checkpoint.source().framework());
    assertEquals(List.of("head.bias", "head.weight"), checkpoint.names());
    assertEquals("[2, 3]", checkpoint.tensors().get(1).spec().shape().toString());
    long[] at = new long[3];
    checkpoint
        .tensors()
        .get(1)
        .layout()
        .runs(
            0,
            6,
            (storage, offset, elements) -> {
              at[0] = storage.file();
              at[1] = offset;
              at[2] = elements;
            });
    assertArrayEquals(new long[] {1, 0, 6}, at);
  }

  @Test
  void whatLiesBesideIsTold() throws IOException {
    Files.copy(Fixtures.resource("torch/state_dict.pt"), folder.resolve("last.pt"));

    List<NotTaken> left = read().notTaken();

    assertEquals(1, left.size());
    assertTrue(left.get(0).text().startsWith("last.pt, "), left.get(0).text());
  }

  @Test
  void aFileOfAnotherLength() throws IOException {
    Files.write(folder.resolve("head.bias.2.f32"), floats(6));

    ReweaveException e = assertThrows(ReweaveException.class, this::read);

    assertEquals("4 bytes for a tensor of [2]", e.problem());
  }

  @Test
  void thePageShowsThisCode() throws IOException {
    String page = Files.readString(Path.of("src/site/markdown/adding-a-format.md"));

    assertTrue(page.contains("```java\n" + Files.readString(CODE) + "```\n"));
  }
}
