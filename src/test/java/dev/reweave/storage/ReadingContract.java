package dev.reweave.storage;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.common.Location;
import dev.reweave.common.ReweaveException;
import dev.reweave.testing.Locations;
import java.io.EOFException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** What every store must do when it is read and listed. */
abstract class ReadingContract extends StoreUnderTest {
  /** All that is legal in a name everywhere; a colon is not, in Hadoop's paths. */
  private static final List<String> ODD_NAMES =
      List.of(
          "#1 & more",
          "%20",
          "100%",
          "a b",
          "a+b",
          "a%2Fb",
          "copy (1)",
          "größe 模型",
          "plain",
          "x=[y]&z;{w}~'q'@!$,");

  @Test
  void readsAnyRangeOfAFile() throws IOException {
    byte[] content = bytes(100_000);
    try (RandomAccess access = stores.open(put("in.pt", content))) {
      assertEquals(content.length, access.file().length());
      for (int[] range : new int[][] {{0, 10}, {99_990, 10}, {50_000, 777}, {3, 0}, {0, 100_000}}) {
        byte[] buffer = new byte[range[1] + 5];
        access.readFully(range[0], buffer, 3, range[1]);
        assertArrayEquals(
            Arrays.copyOfRange(content, range[0], range[0] + range[1]),
            Arrays.copyOfRange(buffer, 3, 3 + range[1]));
        assertEquals(0, buffer[2] + buffer[3 + range[1]], "bytes around it were touched");
      }
      access.readFully(100_000, new byte[0], 0, 0);
    }
  }

  @Test
  void readsManyRangesAtOnce() throws IOException {
    byte[] content = bytes(3_000_000);
    InputFile file = put("in.pt", content);
    int[][] apart = {{0, 10}, {10, 20}, {40_000, 5}, {900_000, 1_000_000}, {2_999_999, 1}};
    int[][] overlapping = {{5, 100_000}, {50_000, 100_000}, {7, 3}};
    try (RandomAccess access = stores.open(file)) {
      for (int[][] wanted : List.of(apart, overlapping)) {
        List<ReadRange> ranges = new ArrayList<>();
        for (int[] range : wanted) {
          ranges.add(new ReadRange(range[0], new byte[range[1] + 2], 1, range[1]));
        }
        access.readFully(ranges);
        for (ReadRange range : ranges) {
          int from = (int) range.position();
          assertArrayEquals(
              Arrays.copyOfRange(content, from, from + range.length()),
              Arrays.copyOfRange(range.buffer(), 1, 1 + range.length()));
        }
      }
      List<ReadRange> tooFar =
          List.of(new ReadRange(0, new byte[5], 0, 5), new ReadRange(2_999_999, new byte[2], 0, 2));
      assertThrows(EOFException.class, () -> access.readFully(tooFar));
    }
  }

  @Test
  void saysWhenAFileEndsTooSoon() throws IOException {
    InputFile file = put("in.pt", bytes(1000));
    try (RandomAccess access = stores.open(file)) {
      assertThrows(EOFException.class, () -> access.readFully(991, new byte[10], 0, 10));
      assertThrows(EOFException.class, () -> access.readFully(1000, new byte[1], 0, 1));
      assertThrows(EOFException.class, () -> access.readFully(1L << 40, new byte[1], 0, 1));
      assertThrows(EOFException.class, () -> access.readFully(-1, new byte[1], 0, 1));
      assertThrows(EOFException.class, () -> access.readFully(Long.MAX_VALUE, new byte[10], 0, 10));
    }
    // It was longer when it was listed.
    try (RandomAccess access = stores.open(new InputFile(Locations.of(file.uri()), 2000, 0))) {
      assertThrows(EOFException.class, () -> access.readFully(990, new byte[20], 0, 20));
      assertThrows(EOFException.class, () -> access.readFully(1500, new byte[20], 0, 20));
    }
  }

  @Test
  void readsAnEmptyFile() throws IOException {
    InputFile file = put("empty", new byte[0]);

    assertEquals(0, file.length());
    assertEquals(0, stores.readAll(file, 10).length);
    try (RandomAccess access = stores.open(file)) {
      assertThrows(EOFException.class, () -> access.readFully(0, new byte[1], 0, 1));
    }
  }

  @Test
  void listsFilesOfAnyNameAndFoldersApart() throws IOException {
    for (String name : ODD_NAMES) {
      put("files/" + name, name.getBytes(UTF_8));
      put("folders/" + name + "/in.pt", name.getBytes(UTF_8));
    }
    put("files/folder (é)/in.pt", bytes(1));

    Stores.Listing files = stores.list(Locations.of(in("files")));
    assertEquals(ODD_NAMES.stream().sorted().toList(), names(files));
    for (InputFile file : files.files()) {
      assertEquals(file.name(), new String(stores.readAll(file, 100), UTF_8));
      // Times may differ: some stores round them in the one answer and not in the other.
      InputFile alone = stores.file(Locations.of(file.uri())).orElseThrow();
      assertEquals(file.uri(), alone.uri());
      assertEquals(file.length(), alone.length());
      assertEquals(file.location(), stores.locate(file.uri()));
    }
    assertEquals(List.of(stores.locate(in("files/folder (é)"))), files.folders());
    assertEquals("in.pt", stores.list(files.folders().get(0)).files().get(0).name());

    Stores.Listing folders = stores.list(Locations.of(in("folders")));
    assertEquals(List.of(), folders.files());
    assertEquals(ODD_NAMES.size(), folders.folders().size());
    for (Location folder : folders.folders()) {
      assertTrue(stores.isFolder(folder), folder::uri);
      InputFile inside = stores.list(folder).files().get(0);
      assertEquals(folder.name(), new String(stores.readAll(inside, 100), UTF_8));
    }
  }

  @Test
  void tellsFilesFromFolders() throws IOException {
    InputFile file = put("folder/in.pt", bytes(10));

    assertTrue(stores.isFolder(Locations.of(in("folder"))));
    assertEquals(Optional.empty(), stores.file(Locations.of(in("folder"))));
    assertFalse(stores.isFolder(Locations.of(file.uri())));
    assertEquals(Optional.empty(), stores.file(Locations.of(in("folder/other.pt"))));
    assertFalse(stores.isFolder(Locations.of(in("other"))));
  }

  @Test
  void saysWhatIsMissing() {
    Location missing = stores.locate(in("missing"));
    String message = "no such file or folder: " + missing + "; check the address and its spelling";

    assertEquals(
        message, assertThrows(ReweaveException.class, () -> stores.list(missing)).getMessage());
    // Some stores notice it when the file is opened, others with the first byte.
    InputFile gone = new InputFile(missing, 10, 0);
    assertEquals(
        message, assertThrows(ReweaveException.class, () -> stores.readAll(gone, 10)).getMessage());
  }
}
