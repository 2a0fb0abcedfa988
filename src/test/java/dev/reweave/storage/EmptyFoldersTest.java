package dev.reweave.storage;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.common.ReweaveException;
import dev.reweave.testing.Locations;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.RawLocalFileSystem;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Folders that nothing is in any more, while several files are removed at once. */
class EmptyFoldersTest {
  @TempDir Path temp;

  /** A disk on which somebody else is quicker, or which cannot be read. */
  private static final class Disk extends RawLocalFileSystem {
    private final boolean isRemoved;

    Disk(boolean isRemoved) throws IOException {
      this.isRemoved = isRemoved;
      initialize(java.net.URI.create("file:///"), new Configuration());
    }

    @Override
    public FileStatus[] listStatus(org.apache.hadoop.fs.Path path) throws IOException {
      if (!path.getName().equals("vae")) {
        return super.listStatus(path);
      }
      if (isRemoved) {
        super.delete(path, true);
      }
      throw new IOException("Invalid directory or I/O error occurred for dir: " + path);
    }
  }

  private OutputFolder folder(boolean isRemoved) throws IOException {
    Files.createDirectories(temp.resolve("model/vae"));
    Files.writeString(temp.resolve("model/vae/config.json"), "{}");
    return new OutputFolder(
        new Stores(new Configuration()),
        new Disk(isRemoved),
        Stores.path(Locations.of(temp.resolve("model").toString())));
  }

  @Test
  void oneThatAnotherThreadHasRemovedIsGone() throws IOException {
    OutputFolder folder = folder(true);

    folder.remove("vae/config.json");

    assertFalse(Files.exists(temp.resolve("model/vae")));
    assertTrue(Files.exists(temp.resolve("model")));
  }

  @Test
  void oneThatCannotBeReadIsTold() throws IOException {
    OutputFolder folder = folder(false);

    ReweaveException told =
        assertThrows(ReweaveException.class, () -> folder.remove("vae/config.json"));

    assertEquals(ReweaveException.Kind.STORE_FAILED, told.kind());
    assertTrue(told.place().endsWith("/model/vae"), told::place);
  }
}
