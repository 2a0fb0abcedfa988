package dev.reweave.fuzz;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.checkpoint.ReadOptions;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What the fuzzer starts from is read, and is the same after each input. */
class FolderFuzzTest {
  static List<String> folders() {
    return FolderFuzz.folders();
  }

  @ParameterizedTest
  @MethodSource("folders")
  void everyFolderIsRead(String folder) {
    assertFalse(FolderFuzz.read(folder, ReadOptions.defaults()).tensors().isEmpty());
  }

  /** Each file as it is, read in every way; the addresses end without a name, as roots do. */
  @Test
  void everySeedIsReadOrRefused() {
    assertTrue(FolderFuzz.seeds().size() >= 3 * FolderFuzz.files());
    FolderFuzz.seeds().forEach(FolderFuzz::fuzzerTestOneInput);
  }

  /** An input names a file in one byte. */
  @Test
  void everyFileCanBeNamed() {
    assertTrue(FolderFuzz.files() <= 256, () -> FolderFuzz.files() + " files");
    assertTrue(folders().stream().anyMatch(folder -> folder.startsWith("/megatron/")));
    assertTrue(folders().stream().anyMatch(folder -> folder.startsWith("/adapters/")));
  }

  @Test
  void anInputLeavesTheFilesAsTheyWere() {
    assertFalse(folders().isEmpty());
    List<byte[]> before = MemoryFolders.paths().stream().map(MemoryFolders::content).toList();
    byte[] input = {1, 2, 3, 0, 0, 0, 0};
    assertDoesNotThrow(() -> FolderFuzz.fuzzerTestOneInput(input));
    assertEquals(before, MemoryFolders.paths().stream().map(MemoryFolders::content).toList());
  }
}
