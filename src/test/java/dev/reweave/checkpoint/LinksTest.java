package dev.reweave.checkpoint;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.checkpoint.reading.CheckpointReader;
import dev.reweave.common.ReweaveException;
import dev.reweave.storage.MetadataLimit;
import dev.reweave.storage.Safeguards;
import dev.reweave.storage.Safeguards.Links;
import dev.reweave.storage.ThreadScanner;
import dev.reweave.tensor.Shape;
import dev.reweave.testing.Fixtures;
import dev.reweave.testing.Locations;
import dev.reweave.testing.SafetensorsFile;
import dev.reweave.testing.TestSpark;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Symbolic links in what somebody else may have made. */
class LinksTest {
  private static final String STATES = "global_step3/mp_rank_00_model_states.pt";

  @TempDir Path temp;
  private Path checkpoint;

  @BeforeEach
  void copy() throws IOException {
    temp = temp.toRealPath();
    checkpoint = Fixtures.copy(Fixtures.folder("z2_bf16_w2").resolve("ckpt"), temp.resolve("in"));
  }

  private static Checkpoint read(Path address, Links links) {
    Safeguards safeguards = new Safeguards(links, MetadataLimit.DEFAULT);
    return new CheckpointReader(TestSpark.stores(), new ThreadScanner(TestSpark.stores()))
        .read(Locations.of(address), ReadOptions.defaults().withSafeguards(safeguards));
  }

  private int tensors(Path address) {
    return read(address, Links.INSIDE).tensors().size();
  }

  /** Moves a file or folder away, and leaves a link to it. */
  private Path replaceByLink(Path path, Path target) throws IOException {
    Files.createDirectories(target.getParent());
    Files.move(path, target);
    return Files.createSymbolicLink(path, target);
  }

  private void assertRefused(Path link, Path target) {
    String message =
        assertThrows(ReweaveException.class, () -> read(checkpoint, Links.INSIDE)).getMessage();
    assertEquals(
        "a symbolic link leads out of the folder that is read, to "
            + target
            + ": file:"
            + link
            + "; put a copy in its place, or use --follow-links if you trust who made it",
        message);
  }

  @Test
  void filesElsewhereAreRefused() throws IOException {
    int whole = tensors(checkpoint);
    Path target = temp.resolve("elsewhere/states.pt");
    Path link = replaceByLink(checkpoint.resolve(STATES), target);
    assertRefused(link, target);
    assertEquals(whole, read(checkpoint, Links.ANYWHERE).tensors().size());
  }

  @Test
  void foldersElsewhereAreRefused() throws IOException {
    Path target = temp.resolve("elsewhere/global_step3");
    Path link = replaceByLink(checkpoint.resolve("global_step3"), target);
    assertRefused(link, target);
  }

  @Test
  void theFileLatestElsewhereIsRefused() throws IOException {
    Path target = temp.resolve("secret");
    Path link = replaceByLink(checkpoint.resolve("latest"), target);
    assertRefused(link, target);
  }

  @Test
  void aLinkToALinkIsFollowedToItsEnd() throws IOException {
    Path target = temp.resolve("elsewhere/states.pt");
    Path inside = replaceByLink(checkpoint.resolve(STATES), target);
    Path outer = checkpoint.resolve("global_step3/mp_rank_01_model_states.pt");
    Files.move(inside, temp.resolve("hop"));
    Files.createSymbolicLink(outer, temp.resolve("hop"));
    assertRefused(outer, target);
  }

  @Test
  void aFolderWhoseNameBeginsLikeTheCheckpointsIsElsewhere() throws IOException {
    Path target = temp.resolve("in-evil/states.pt");
    assertRefused(replaceByLink(checkpoint.resolve(STATES), target), target);
  }

  @Test
  void linksThatStayInsideAreFollowed() throws IOException {
    int whole = tensors(checkpoint);
    replaceByLink(checkpoint.resolve(STATES), checkpoint.resolve("files/states.pt"));
    assertEquals(whole, tensors(checkpoint));
  }

  @Test
  void whatTheUserNamesIsFollowed() throws IOException {
    int whole = tensors(checkpoint);
    Path named = Files.createSymbolicLink(temp.resolve("named"), checkpoint);
    assertEquals(whole, tensors(named));
  }

  @Test
  void oneFileThatTheUserNamesIsFollowed() throws IOException {
    Path file = new SafetensorsFile().with("w", Shape.of(1), 1f).write(temp.resolve("blob"));
    Path named = Files.createSymbolicLink(temp.resolve("model.safetensors"), file);
    assertEquals(1, tensors(named));
  }

  @Test
  void theCacheOfTheHubIsRead() throws IOException {
    Path model = Files.createDirectories(temp.resolve("models--a--b/snapshots/4f/transformer"));
    Path blobs = Files.createDirectories(temp.resolve("models--a--b/blobs"));
    new SafetensorsFile().with("w", Shape.of(1), 1f).write(blobs.resolve("5d"));
    Files.createSymbolicLink(model.resolve("model.safetensors"), Path.of("../../../blobs/5d"));
    assertEquals(1, tensors(model));
    checkpoint = model;
    Files.move(blobs.resolve("5d"), temp.resolve("5d"));
    Files.createSymbolicLink(blobs.resolve("5d"), temp.resolve("5d"));
    assertRefused(model.resolve("model.safetensors"), temp.resolve("5d"));
  }

  @ParameterizedTest
  @ValueSource(strings = {STATES, "latest"})
  void pipesAreNoFiles(String name) throws Exception {
    Path pipe = checkpoint.resolve(name);
    Files.delete(pipe);
    assertEquals(0, new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor());
    assertEquals(
        "this is a pipe, a socket, a device or a folder, and no file: file:"
            + pipe
            + "; put a file with the content in its place, or remove it",
        assertThrows(ReweaveException.class, () -> tensors(checkpoint)).getMessage());
  }

  @Test
  void devicesAreNoFiles() {
    String message =
        assertThrows(ReweaveException.class, () -> tensors(Path.of("/dev/zero"))).getMessage();
    assertTrue(message.startsWith("this is a pipe, a socket, a device or a folder"), message);
  }

  @Test
  void theLimitOfStructureReachesEveryFile() {
    Safeguards tight = new Safeguards(Links.INSIDE, new MetadataLimit(50));
    ReweaveException e =
        assertThrows(
            ReweaveException.class,
            () ->
                new CheckpointReader(TestSpark.stores(), new ThreadScanner(TestSpark.stores()))
                    .read(Locations.of(checkpoint), ReadOptions.defaults().withSafeguards(tight)));
    assertEquals("allow more with --max-metadata-bytes if you trust the file", e.remedy());
  }
}
