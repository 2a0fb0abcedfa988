package dev.reweave.convert;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.reweave.storage.OutputFolder;
import dev.reweave.storage.Stores;
import dev.reweave.testing.ChunkedModel;
import dev.reweave.testing.Locations;
import dev.reweave.testing.TestHdfs;
import dev.reweave.testing.UnjoinedHdfs;
import java.io.IOException;
import java.nio.file.Path;
import org.apache.hadoop.fs.FileSystem;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A store that says that it joins files, and does not. */
class UnjoinedFilesTest {
  @TempDir static Path temp;
  private static final FileSystem fs = TestHdfs.fileSystem();
  private static ChunkedModel model;
  private static String input;

  @BeforeAll
  static void write() throws IOException {
    model = ChunkedModel.in(temp);
    input = model.copy(fs, "/unjoined/in");
  }

  private static Stores unjoined() {
    return new Stores(UnjoinedHdfs.configuration());
  }

  @Test
  void wholeFilesAreWritten() throws IOException {
    String output = fs.getUri() + "/unjoined/out";

    ChunkedModel.converting(input, output).in(unjoined()).run();

    assertEquals(model.expected(), ChunkedModel.files(fs, output));
  }

  /** The trial leaves nothing, and is made anew by a run that goes on. */
  @Test
  void itIsFoundOutByATrial() throws IOException {
    String address = fs.getUri() + "/unjoined/trial";
    OutputFolder output = unjoined().outputFolder(Locations.of(address));

    output.prepare(10);
    assertEquals(1, output.partRule().mostParts());
    assertEquals(0, fs.getContentSummary(new org.apache.hadoop.fs.Path(address)).getFileCount());

    OutputFolder later = unjoined().outputFolder(Locations.of(address));
    later.tryMeans();
    assertEquals(1, later.partRule().mostParts());
  }
}
