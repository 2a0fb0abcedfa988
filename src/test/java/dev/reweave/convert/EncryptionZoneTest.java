package dev.reweave.convert;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.reweave.storage.Stores;
import dev.reweave.testing.ChunkedModel;
import dev.reweave.testing.Locations;
import dev.reweave.testing.OwnHdfs;
import java.io.IOException;
import java.nio.file.Path;
import org.apache.hadoop.hdfs.DistributedFileSystem;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** HDFS joins no files of an encryption zone: whole files are written there. */
class EncryptionZoneTest {
  @TempDir static Path temp;
  private static OwnHdfs hdfs;
  private static DistributedFileSystem fs;
  private static ChunkedModel model;
  private static String input;

  @BeforeAll
  static void start() throws Exception {
    hdfs = OwnHdfs.withKeys();
    fs = hdfs.fileSystem();
    model = ChunkedModel.in(temp);
    input = model.copy(fs, "/in/ckpt");
  }

  @AfterAll
  static void stop() {
    hdfs.close();
  }

  private static String zone(String name) throws IOException {
    org.apache.hadoop.fs.Path zone = fs.makeQualified(new org.apache.hadoop.fs.Path("/" + name));
    hdfs.encrypt(zone);
    return zone.toString();
  }

  private static int partsOfAFile(String output) {
    return new Stores(fs.getConf()).outputFolder(Locations.of(output)).partRule().mostParts();
  }

  /** Before there is a folder, and thus before anything is written. */
  @Test
  void itIsKnownBefore() throws IOException {
    String zone = zone("zone-0");

    assertEquals(1, partsOfAFile(zone));
    assertEquals(1, partsOfAFile(zone + "/not/there"));
    assertEquals(10_000, partsOfAFile(fs.getUri() + "/beside/it"));
    assertEquals(0, fs.listStatus(new org.apache.hadoop.fs.Path(zone)).length);
  }

  @Test
  void resultInAZone() throws IOException {
    assertEquals(model.expected(), ChunkedModel.made(fs, input, zone("zone-1") + "/new/out"));
  }

  @Test
  void resultThatIsAZone() throws IOException {
    assertEquals(model.expected(), ChunkedModel.made(fs, input, zone("zone-2")));
  }

  @Test
  void bothInZones() throws IOException {
    String from = model.copy(fs, java.net.URI.create(zone("zone-3")).getPath() + "/ckpt");
    assertEquals(model.expected(), ChunkedModel.made(fs, from, zone("zone-4") + "/out"));
  }
}
