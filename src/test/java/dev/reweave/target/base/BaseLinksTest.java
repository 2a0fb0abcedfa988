package dev.reweave.target.base;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.common.Location;
import dev.reweave.common.ReweaveException;
import dev.reweave.storage.MetadataLimit;
import dev.reweave.storage.Safeguards;
import dev.reweave.storage.Safeguards.Links;
import dev.reweave.testing.Locations;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Bases that hold links, and other things that are neither files nor folders. */
class BaseLinksTest {
  private static final String WEIGHTS = "diffusion_pytorch_model.safetensors";

  @TempDir Path temp;
  private Path folder;

  @BeforeEach
  void write() throws IOException {
    temp = temp.toRealPath();
    folder = temp.resolve("base");
    new SampleBase(folder).model("", "Model", "w");
  }

  private BaseFolder read(Links links) {
    Location address = Locations.of(folder);
    Safeguards safeguards = new Safeguards(links, MetadataLimit.DEFAULT);
    return BaseFolder.read(SampleBase.STORES.guarded(address, safeguards), address);
  }

  private void assertRefused(String message) {
    assertEquals(
        message,
        assertThrows(ReweaveException.class, () -> read(Links.INSIDE))
            .getMessage()
            .replace(temp.toString(), "TEMP"));
  }

  private static String leadsOut(String target, String link) {
    return "a symbolic link leads out of the folder that is read, to TEMP/%s: file:TEMP/%s; put a copy in its place, or use --follow-links if you trust who made it"
        .formatted(target, link);
  }

  @Test
  void filesElsewhereAreRefused() throws IOException {
    Files.writeString(temp.resolve("secret"), "s");
    Files.createSymbolicLink(folder.resolve("README.md"), temp.resolve("secret"));
    assertRefused(leadsOut("secret", "base/README.md"));
    assertTrue(read(Links.ANYWHERE).files().containsKey("README.md"));
  }

  @Test
  void foldersElsewhereAreRefused() throws IOException {
    Files.createDirectories(temp.resolve("home/keys"));
    Files.writeString(temp.resolve("home/keys/id"), "s");
    Files.createSymbolicLink(folder.resolve("assets"), temp.resolve("home"));
    assertRefused(leadsOut("home", "base/assets"));
    assertTrue(read(Links.ANYWHERE).files().containsKey("assets/keys/id"));
  }

  @Test
  void weightsElsewhereAreRefused() throws IOException {
    Files.move(folder.resolve(WEIGHTS), temp.resolve("other"));
    Files.createSymbolicLink(folder.resolve(WEIGHTS), temp.resolve("other"));
    assertRefused(leadsOut("other", "base/" + WEIGHTS));
  }

  @Test
  void theCacheOfTheHubIsABase() throws IOException {
    Path blobs = Files.createDirectories(temp.resolve("models--a--b/blobs"));
    Path revision = Files.createDirectories(temp.resolve("models--a--b/snapshots/4f"));
    for (String name : new String[] {"config.json", WEIGHTS}) {
      Files.move(folder.resolve(name), blobs.resolve(name.substring(0, 4)));
      Files.createSymbolicLink(
          revision.resolve(name), Path.of("../../blobs", name.substring(0, 4)));
    }
    folder = revision;
    assertEquals(1, read(Links.INSIDE).files().keySet().stream().filter(WEIGHTS::equals).count());
    Files.move(blobs.resolve("conf"), temp.resolve("conf"));
    Files.createSymbolicLink(blobs.resolve("conf"), temp.resolve("conf"));
    assertRefused(leadsOut("conf", "models--a--b/snapshots/4f/config.json"));
  }

  @Test
  void linksThatLeadNowhereAreNotLeftOut() throws IOException {
    Files.createDirectories(folder.resolve("sub"));
    Files.createSymbolicLink(folder.resolve("sub/b.json"), temp.resolve("gone"));
    Files.createSymbolicLink(folder.resolve("sub/a.json"), Path.of("a.json"));
    assertRefused(
        "symbolic links lead nowhere: a.json, b.json: file:TEMP/base/sub; put copies of what they"
            + " stand for in their place, or remove them");
  }

  @Test
  void locksOfEditorsAreNoMatter() throws IOException {
    Files.createSymbolicLink(folder.resolve(".#config.json"), Path.of("me@host.1234"));
    assertEquals(2, read(Links.INSIDE).files().size());
  }

  @Test
  void foldersThatContainThemselvesAreRefused() throws IOException {
    Files.createDirectories(folder.resolve("a"));
    Files.createDirectories(folder.resolve("b"));
    Files.createSymbolicLink(folder.resolve("a/x"), folder.resolve("b"));
    Files.createSymbolicLink(folder.resolve("a/y"), folder.resolve("b"));
    Files.createSymbolicLink(folder.resolve("b/x"), folder.resolve("a"));
    Files.createSymbolicLink(folder.resolve("b/y"), folder.resolve("a"));
    assertRefused(
        "folders in folders without an end: file:TEMP/base/a"
            + "/x".repeat(32)
            + "; look for a link that leads back");
  }

  @Test
  void pipesAreNoFiles() throws Exception {
    Process process = new ProcessBuilder("mkfifo", folder.resolve("notes.txt").toString()).start();
    assertEquals(0, process.waitFor());
    assertRefused(
        "this is a pipe, a socket, a device or a folder, and no file: file:TEMP/base/notes.txt; put"
            + " a file with the content in its place, or remove it");
  }

  @Test
  void devicesAreNoFiles() throws IOException {
    Files.createSymbolicLink(folder.resolve("notes.txt"), Path.of("/dev/zero"));
    String message = assertThrows(ReweaveException.class, () -> read(Links.ANYWHERE)).getMessage();
    assertTrue(message.startsWith("this is a pipe, a socket, a device or a folder"), message);
  }

  /** Java makes one and the same character of whatever it cannot tell. */
  @Test
  void namesInAnotherEncodingAreNotLeftOut() throws Exception {
    String make = "touch \"$0/$(printf 'caf\\351.txt')\"";
    assertEquals(0, new ProcessBuilder("sh", "-c", make, folder.toString()).start().waitFor());
    assertRefused(
        "the name of a file is not in the encoding of this machine: caf\ufffd.txt: file:TEMP/base;"
            + " rename it, or run with a UTF-8 locale such as LC_ALL=C.UTF-8");
  }

  @Test
  void namesWithAColonAreListed() throws IOException {
    Files.writeString(folder.resolve("step:3"), "three");
    Files.writeString(folder.resolve("file:notes"), "n");
    BaseFolder base = read(Links.INSIDE);
    assertTrue(base.files().containsKey("step:3"));
    assertEquals("three", new String(base.content("step:3"), UTF_8));
    assertEquals("n", new String(base.content("file:notes"), UTF_8));
  }
}
